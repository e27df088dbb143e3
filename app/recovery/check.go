package recovery

import (
	"errors"
	"fmt"
	"slices"

	"kvart/app"
)

// Check tells playbooks that can be followed from those that can't: steps that
// exist, come to an end and do something Kvart knows.
func Check(books []app.Playbook) error {
	var errs []error
	seen := map[app.PlaybookCode]bool{}
	for _, b := range books {
		if !slices.Contains(app.PlaybookCodes(), b.Code) || seen[b.Code] {
			errs = append(errs, fmt.Errorf("playbook %q is not known, or there twice", b.Code))
		}
		seen[b.Code] = true
		if err := checkBook(b); err != nil {
			errs = append(errs, fmt.Errorf("playbook %s: %w", b.Code, err))
		}
	}
	for _, c := range app.PlaybookCodes() {
		if !seen[c] {
			errs = append(errs, fmt.Errorf("playbook %s is missing", c))
		}
	}
	return errors.Join(errs...)
}

func checkBook(b app.Playbook) error {
	steps := map[app.StepCode]app.PlaybookStep{}
	stops := 0
	for _, s := range b.Steps {
		if _, ok := steps[s.Code]; ok || s.Code == "" {
			return fmt.Errorf("step %q is there twice", s.Code)
		}
		// what comes before stands before: so there are no circles
		for _, d := range append(slices.Clone(s.After), s.Consent) {
			if _, ok := steps[d]; !ok && d != "" {
				return fmt.Errorf("step %s depends on %s, which does not stand before it", s.Code, d)
			}
		}
		if err := checkStep(s, steps); err != nil {
			return fmt.Errorf("step %s: %w", s.Code, err)
		}
		steps[s.Code] = s
		if s.Stops {
			stops++
		}
	}
	if stops != 1 {
		return fmt.Errorf("%d steps stop the clock, want 1", stops)
	}
	if b.Deadline != nil {
		if s, ok := steps[b.Deadline.Step]; !ok || s.Actor != app.ActorOwner || b.Deadline.Hours <= 0 {
			return fmt.Errorf("deadline for %q makes no sense", b.Deadline.Step)
		}
	}
	if clears := slices.ContainsFunc(b.Steps, func(s app.PlaybookStep) bool { return s.Clears }); clears != b.Infected {
		return errors.New("a suspicion is to be cleared, or a step clears one, and not both")
	}
	return nil
}

func checkStep(s app.PlaybookStep, before map[app.StepCode]app.PlaybookStep) error {
	switch s.Actor {
	case app.ActorKvart:
		return checkOwn(s, before)
	case app.ActorOwner:
		return checkOwners(s)
	}
	return fmt.Errorf("nobody called %q", s.Actor)
}

// checkOwn looks at a step of Kvart's.
func checkOwn(s app.PlaybookStep, before map[app.StepCode]app.PlaybookStep) error {
	if !slices.Contains(app.Actions(), s.Action) {
		return fmt.Errorf("no action %q", s.Action)
	}
	if s.Asks != "" || s.Clears || s.Message != "" || s.Probe != "" {
		return errors.New("it has what only steps of the owner's have")
	}
	// nothing real is touched without the owner's yes
	if touches(s.Action) && (s.Consent == "" || before[s.Consent].Actor != app.ActorOwner || !slices.Contains(s.After, s.Consent)) {
		return errors.New("it needs the owner's consent first")
	}
	return nil
}

// checkOwners looks at a step of the owner's.
func checkOwners(s app.PlaybookStep) error {
	switch {
	case s.Action != "" || s.Consent != "":
		return errors.New("it has what only steps of Kvart's have")
	case s.Probe != "" && !slices.Contains(app.Probes(), s.Probe):
		return fmt.Errorf("no probe %q", s.Probe)
	case s.Message != "" && !slices.Contains(app.Messages(), s.Message):
		return fmt.Errorf("no message %q", s.Message)
	case s.Asks != "" && s.Asks != "sources":
		return fmt.Errorf("nobody can be asked for %q", s.Asks)
	}
	return nil
}

// touches reports whether an action changes something of the shop's.
func touches(a app.Action) bool {
	return a == app.ActionRestore || a == app.ActionPublish || a == app.ActionWithdraw
}
