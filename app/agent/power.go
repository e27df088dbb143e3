package agent

import (
	"context"
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

// Power tells what this computer lives on.
type Power interface {
	// Look returns what is known just now. It takes no longer than a second.
	Look(ctx context.Context) app.Power
}

// lookPower looks at what the computer lives on.
func (a *Agent) lookPower(ctx context.Context) {
	if a.Power == nil {
		return
	}
	p := a.Power.Look(ctx)
	a.mu.Lock()
	a.power = p
	a.mu.Unlock()
}

// held returns the rule that holds just now, and why.
func (a *Agent) held(d Document) (app.PowerRule, app.PowerCause) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return d.Settings.Held(a.power)
}

// waiting returns which of some sources wait by the rule that holds.
func (a *Agent) waiting(d Document, sources []app.Source) (held []app.Source) {
	rule, _ := a.held(d)
	if rule == app.PowerGoOn {
		return nil
	}
	hosted := map[app.Kind]bool{}
	for _, k := range a.Connectors.Specs() {
		hosted[k.Kind] = k.Hosted
	}
	for _, s := range sources {
		if rule == app.PowerWait || !hosted[s.Kind] {
			held = append(held, s)
		}
	}
	return held
}

// unheld returns the sources that a quarter may back up. What waits is
// remembered, so that the quarter is never taken for one with nothing new.
func (a *Agent) unheld(ctx context.Context, d Document, due []app.Source, quarter time.Time) []app.Source {
	a.lookPower(ctx)
	held := a.waiting(d, due)
	if len(held) == 0 {
		return due
	}
	_, cause := a.held(d)
	a.Log.InfoContext(ctx, "Backups wait", "cause", cause, "sources", len(held))
	for _, s := range held {
		if err := a.Journal.AddRest(ctx, s.ID, quarter, app.QuarterWaiting); err != nil {
			// it will look as if the guard had been off: not safe either
			a.Log.ErrorContext(ctx, "Wait not remembered", "source", s.ID, "error", err)
		}
	}
	a.bus.poke()
	return slices.DeleteFunc(slices.Clone(due), func(s app.Source) bool {
		return slices.ContainsFunc(held, func(o app.Source) bool { return o.ID == s.ID })
	})
}

// fillPower says what the computer lives on, and what waits for that.
func (a *Agent) fillPower(st *app.Status, d Document) {
	a.mu.Lock()
	st.Power = a.power
	a.mu.Unlock()
	active, err := active(d.Sources, st.Now)
	if err != nil || d.Vault == nil {
		return // all are paused, and that is told
	}
	held := a.waiting(d, active)
	if len(held) == 0 {
		return
	}
	rule, cause := a.held(d)
	st.Waiting = &app.Waiting{Cause: cause, Rule: rule}
	for _, s := range held {
		st.Waiting.Sources = append(st.Waiting.Sources, s.Name)
	}
	e := app.Errorf(app.CodeWaiting, "back up", "the owner's rule").With("cause", string(cause)).With("count", strconv.Itoa(len(held)))
	st.Notes = append([]app.Problemed{{Error: e}}, st.Notes...)
}

// checkChoices refuses choices there are not.
func checkChoices(s app.Settings) error {
	wrong := func(field string) error {
		return app.Errorf(app.CodeUsage, "change settings", "no such %s", field).With("field", field)
	}
	for _, k := range s.Muted {
		if !k.Mutable() {
			return wrong("muted")
		}
	}
	switch {
	case !slices.Contains(app.Themes(), s.Theme):
		return wrong("theme")
	case !slices.Contains(app.PowerRules(), s.OnBattery):
		return wrong("onBattery")
	case !slices.Contains(app.PowerRules(), s.OnMetered):
		return wrong("onMetered")
	}
	return nil
}
