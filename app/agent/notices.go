package agent

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// Causes of notices. Their words are translations keyed "notice.<cause>".
const (
	causeLate    = "late"
	causeFailed  = "failed"
	causeRestore = "restore"
	causeUndo    = "undo" // words only
	causeDrill   = "drill"
	causeKit     = "kit"
	causeLock    = "lock"
	causeCopy    = "copy"
	causeUnusual = "unusual" // with "." and the source
	causePaused  = "paused"  // with "." and the source, or for all
	causeFront   = "storefront"
	causeExpires = "expires"
	causeDomain  = "domain"
	// causeDomainLast is the same in its last days.
	causeDomainLast = causeDomain + ".last"
	causeSolved     = "solved" // words of alerts only
	causeAgain      = "again"
	causeTest       = "test"

	causeNoWindow = "no_tray_window"
)

// tellOwner shows a notice for each cause that stands and takes away those
// that don't any more. A cause is told once, not at every look.
func (a *Agent) tellOwner(ctx context.Context) {
	st, err := a.Status(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "Status not made for notices", "error", err)
		return
	}
	causes := standing(st)
	if err := a.amidPauses(ctx, st, causes); err != nil {
		a.Log.WarnContext(ctx, "Pauses not looked at for notices", "error", err)
		return // what stands must not be called solved for that
	}
	a.mu.Lock()
	for cause := range a.lastState {
		if _, ok := causes[cause]; !ok {
			causes[cause] = nil // about a source, and answered
		}
	}
	a.mu.Unlock()
	a.alert(ctx, causes)
	for _, cause := range slices.Sorted(maps.Keys(causes)) {
		a.tell(ctx, cause, causes[cause])
	}
}

// standing says which causes stand: nil where one does not.
func standing(st app.Status) map[string]*app.Error {
	s := map[string]*app.Error{causeLate: nil, causeFailed: nil, causeDrill: nil, causeKit: nil, causeLock: nil, causeCopy: nil}
	for _, src := range st.Sources {
		switch src.State {
		case app.SourceLate:
			if st.PausedUntil.IsZero() {
				s[causeLate] = src.Error
			}
		case app.SourceFailed, app.SourceIncomplete:
			if s[causeFailed] == nil && src.Error != nil && !passing(src, st.Now) {
				s[causeFailed] = src.Error
			}
		}
	}
	for _, p := range st.Problems {
		if p.Source == "" && s[causeFailed] == nil {
			s[causeFailed] = p.Error
		}
	}
	s[causeDrill] = failedDrill(st)
	watchCauses(s, st)
	for _, n := range st.Notes {
		if cause := causeOf(n.Error.Code, st); cause != "" && s[cause] == nil {
			s[cause] = n.Error
		}
	}
	return s
}

// failedDrill returns why the last drill of a source failed, nil when none did: a
// later drill of another source makes it no better.
func failedDrill(st app.Status) *app.Error {
	for _, src := range st.Sources {
		if src.Proof != app.ProofFailed {
			continue
		}
		if d := st.LastDrill; d != nil && d.Source == src.Source.Name && d.Error != nil {
			return d.Error
		}
		return (&app.Error{Code: app.CodeCheckFailed, Op: "drill"}).With("source", src.Source.Name)
	}
	return nil
}

// passing reports whether a failure is of a kind that the next quarter's try
// usually ends, a server that restarts, and the newest safe state is not late
// yet. The status shows it at once; it is no alarm before that.
func passing(src app.SourceStatus, now time.Time) bool {
	switch src.Error.Code {
	case app.CodeSourceOffline, app.CodeTunnelOffline, app.CodeSourceBusy, app.CodeSourceAltered:
		return !src.SafeUntil.IsZero() && now.Sub(src.SafeUntil) <= lateAfter(src.Source.Schedule)
	}
	return false
}

// causeOf says which notice a note is worth, "" for none. A kit is asked for
// once there is something it could open.
func causeOf(code app.Code, st app.Status) string {
	switch code {
	case app.CodeKitVoid:
		return causeKit
	case app.CodeKitMissing:
		if holdsEverything(st.Sources) {
			return causeKit
		}
	case app.CodeLockOpen, app.CodeLockLifted:
		return causeLock
	case app.CodeCopyBehind, app.CodeCopyShrunk, app.CodeVaultOther, app.CodeStorageFull:
		return causeCopy
	}
	return ""
}

// tell shows or takes away one cause's notice when that changed.
func (a *Agent) tell(ctx context.Context, cause string, e *app.Error) {
	if a.muted(cause) {
		e = nil // told once the owner wants to hear of it again
	}
	a.mu.Lock()
	stood := a.lastState[cause]
	again := stood && daily(cause) && long(a.toldAt[cause], a.Now())
	a.mu.Unlock()
	var err error
	switch {
	case e != nil && (!stood || again):
		title, text := a.words(cause, e)
		err = a.Notifier.Notify(ctx, app.Notice{Cause: cause, Title: title, Text: text, Alarm: true})
	case e == nil && stood:
		err = a.Notifier.Resolve(ctx, cause)
	}
	if err != nil {
		// A desktop that is not there yet may be at the next look.
		a.Log.DebugContext(ctx, "Notice not shown", "cause", cause, "error", err)
		return
	}
	a.mu.Lock()
	a.lastState[cause] = e != nil
	if e != nil && (!stood || again) {
		a.toldAt[cause] = a.Now()
	}
	a.mu.Unlock()
}

// muted reports whether the owner does without notices of a cause.
func (a *Agent) muted(cause string) bool {
	base, _, _ := strings.Cut(cause, ".")
	kind := app.NoticeKind(base)
	return kind.Mutable() && slices.Contains(a.Store.Document().Settings.Muted, kind)
}

// tellRestore says that a restore or an undo ended, well or not.
func (a *Agent) tellRestore(ctx context.Context, j app.Job, err error) {
	left := j.Restore != nil && len(j.Restore.Left) > 0
	if app.CodeOf(err) == app.CodeCanceled || err == nil && !left && a.muted(causeRestore) {
		return
	}
	cause := causeRestore
	switch {
	case j.Kind == app.JobUndo && err != nil:
		cause = causeUndo + "_failed"
	case j.Kind == app.JobUndo:
		cause = causeUndo + "_done"
	case err == nil && left:
		cause = causeRestore + "_part"
	}
	title, text := a.NoticeWords(cause, app.AsError(err))
	if err := a.Notifier.Notify(context.WithoutCancel(ctx), app.Notice{Cause: causeRestore, Title: title, Text: text, Alarm: err != nil}); err != nil {
		a.Log.InfoContext(ctx, "Notice not shown", "cause", causeRestore, "error", err)
	}
}

// TellNoWindow says that the window did not come.
func (a *Agent) TellNoWindow(ctx context.Context) {
	title, text := a.NoticeWords(causeNoWindow, nil)
	if err := a.Notifier.Notify(ctx, app.Notice{Cause: causeNoWindow, Title: title, Text: text, Alarm: true}); err != nil {
		a.Log.InfoContext(ctx, "Notice not shown", "cause", causeNoWindow, "error", err)
	}
}
