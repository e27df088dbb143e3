package setup

import (
	"maps"
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// firstState tells how the first backup stands.
type firstState string

const (
	firstNothing firstState = "nothing" // no source could be added
	firstWaiting firstState = "waiting"
	firstRunning firstState = "running"
	firstFailed  firstState = "failed"
	firstDone    firstState = "done"
)

// firstView is the last page.
type firstView struct {
	State               firstState
	Title, Text, Button string
	Job                 *screen.JobModel
	Problems            []screen.Problem
}

func modelFirst(w *assets.Words, s app.Status, f *Flow, now time.Time) firstView {
	v := firstView{State: firstWaiting}
	for _, name := range slices.Sorted(maps.Keys(f.failed)) {
		v.Problems = append(v.Problems, screen.Explain(w, f.failed[name], name))
	}
	done, failed := len(s.Sources) > 0, false
	for _, src := range s.Sources {
		done = done && src.Point != nil
		if src.Point == nil && src.Error != nil {
			failed = true
			v.Problems = append(v.Problems, screen.Explain(w, src.Error, src.Source.Name))
		}
	}
	switch {
	case s.Job != nil && s.Job.Kind == app.JobBackup && s.Job.State == app.JobRunning:
		v.State = firstRunning
		j := screen.ModelJob(w, *s.Job, now)
		v.Job = &j
	case len(f.ticked()) > 0 && len(f.failed) == len(f.ticked()) && len(s.Sources) == 0:
		v.State = firstNothing
	case done:
		v.State = firstDone
	case failed:
		v.State = firstFailed
	}
	key := "setup.first." + string(v.State)
	v.Title, v.Text, v.Button = w.T(key+".title"), w.T(key+".text"), w.T(key+".button")
	return v
}

// reportView is what a test of the storage found, in words.
type reportView struct {
	Lines []string
	Warn  string
}

func modelReport(w *assets.Words, r app.StorageReport) reportView {
	v := reportView{Lines: []string{w.T("setup.proved", assets.Args{"Ms": w.Number(max(r.RoundTrip.Milliseconds(), 1))})}}
	if r.Free >= 0 {
		v.Lines = append(v.Lines, w.T("setup.free", assets.Args{"Bytes": w.Bytes(r.Free)}))
	}
	switch {
	case r.State == app.LocationVault:
		v.Warn = w.T("setup.existing")
	case !r.OffSite:
		v.Warn = w.T("setup.notoffsite")
	case !r.CanLock:
		v.Warn = w.T("setup.nolock")
	}
	return v
}

// pillsOf tells a kind of storage's abilities.
func pillsOf(w *assets.Words, k app.KindSpec) (string, widgets.Tone) {
	switch {
	case !k.OffSite:
		return w.T("setup.pill.notoffsite"), widgets.ToneWarn
	case k.CanLock:
		return w.T("setup.pill.lock"), widgets.ToneGood
	}
	return w.T("setup.pill.nolock"), widgets.ToneNeutral
}
