package recovery

import (
	"context"

	"kvart/app"
)

// Undone takes an open incident along when a restore of its was taken back, or
// with err could not be: what rests on the restore is open again, the shop is not
// back, and nothing is brought back a second time without a new yes. touched
// reports that an undo that failed had begun to change the shop.
func (e *Engine) Undone(ctx context.Context, id app.RestoreID, touched bool, err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, openErr := e.openLocked(ctx)
	if app.CodeOf(openErr) == app.CodeIncidentNone {
		return nil
	}
	if openErr != nil {
		return openErr
	}
	s := restoreStep(&i)
	if s == nil || i.Restore != id || s.State == app.StepRunning {
		return nil // another incident's, or none
	}
	e.passLocked(&i)
	refresh(&i)
	switch {
	case err == nil:
		i.Restore = ""
		reopen(&i, s.Code)
		open(&i, s.Consent)
	case touched:
		reopenAfter(&i, s.Code)
		settle(&i, s, app.StepFailed, app.LogLine{Event: app.LogFailed, Actor: app.ActorKvart, Error: app.AsError(err)})
	default: // all is as it was
		note(&i, app.LogLine{Event: app.LogFailed, Step: s.Code, Actor: app.ActorKvart, Error: app.AsError(err)})
	}
	if err := e.putLocked(ctx, &i); err != nil {
		return err
	}
	e.hurryLocked(&i)
	return nil
}

func restoreStep(i *app.Incident) *app.IncidentStep {
	for n := range i.Steps {
		if i.Steps[n].Action == app.ActionRestore {
			return &i.Steps[n]
		}
	}
	return nil
}
