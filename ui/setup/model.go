package setup

import (
	"maps"
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
)

// firstState tells how the first backup stands.
type firstState string

const (
	firstNothing firstState = "nothing" // no source could be added
	firstWaiting firstState = "waiting"
	firstRunning firstState = "running"
	firstFailed  firstState = "failed"
	firstUnsure  firstState = "unsure" // done, but something else keeps the shop from being safe
	firstKit     firstState = "kit"    // done, but without a kit nobody else can open it
	firstPart    firstState = "part"   // something that was ticked could not be added
	firstDone    firstState = "done"
)

// firstView is the last page.
type firstView struct {
	State               firstState
	Title, Text, Button string
	Job                 *screen.JobModel
	Problems            []screen.Problem
	Left                []leftItem // what it takes, and what of it is done
	Again               bool       // something that was ticked is not protected, and the button is for something else
}

// firstStateOf says how the first backup stands: done when every source has a
// verified point, failed when one has none and an error instead.
func firstStateOf(s app.Status, f *Flow, done, failed bool) firstState {
	switch {
	case s.Job != nil && s.Job.Kind == app.JobBackup && s.Job.State == app.JobRunning:
		return firstRunning
	case len(f.ticked()) > 0 && len(f.failed) == len(f.ticked()) && len(s.Sources) == 0:
		return firstNothing
	case done && !s.Kit.Good():
		return firstKit
	case len(f.unadded()) > 0:
		return firstPart
	case done && s.Verdict != app.VerdictSafe:
		return firstUnsure
	case done:
		return firstDone
	case failed:
		return firstFailed
	}
	return firstWaiting
}

func modelFirst(w *assets.Words, s app.Status, f *Flow, now time.Time) firstView {
	v := firstView{}
	for _, name := range slices.Sorted(maps.Keys(f.failed)) {
		v.Problems = append(v.Problems, screen.Explain(w, f.failed[name], name))
	}
	done, failed := len(s.Sources) > 0, false
	for _, src := range s.Sources {
		done = done && src.Point != nil && src.Point.Verified
		if src.Point == nil && src.Error != nil {
			failed = true
			v.Problems = append(v.Problems, screen.Explain(w, src.Error, src.Source.Name))
		}
	}
	v.State = firstStateOf(s, f, done, failed)
	if v.State == firstRunning {
		j := screen.ModelJob(w, *s.Job, now)
		v.Job = &j
	}
	if v.State != firstNothing {
		v.Left, v.Again = modelLeft(w, s, f), v.State != firstPart && len(f.unadded()) > 0
	}
	if v.State == firstUnsure {
		for _, p := range s.Problems {
			v.Problems = append(v.Problems, screen.Explain(w, p.Error, p.Source))
		}
	}
	key := "setup.first." + string(v.State)
	v.Title, v.Text, v.Button = w.T(key+".title"), w.T(key+".text"), w.T(key+".button")
	if v.State == firstPart && (!done || !s.Kit.Good()) {
		v.Text = w.T(key + ".more")
	}
	return v
}
