package rest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/rest"
)

// What a cursor doesn't tell of, deletions that only a sweep finds, is asked of
// the shop, however many records are picked.
func TestEngine_Plan_unswept(t *testing.T) {
	t.Parallel()
	o, _, a := newOdd(t)
	o.kinds = func(kinds []rest.Kind) { kinds[0].Changes, kinds[0].Deletions = rest.ByCursor, rest.BySweep }
	e := rest.New(o, rest.Options{Dir: o.dir})
	for i := range 250 {
		o.add(fmt.Sprint(i), nil)
	}
	point, _ := capture(t, e, a)
	delete(o.notes, "3")
	r := app.Restore{Access: a, From: point}
	plan, err := e.Plan(t.Context(), r)
	if err != nil || plan.Create != 1 || plan.Overwrite != 0 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	for id := range o.notes {
		o.notes[id]["name"] = "fel"
	}
	capture(t, e, a)
	delete(o.notes, "4")
	if plan, err = e.Plan(t.Context(), r); err != nil || plan.Create != 2 || plan.Overwrite != 248 {
		t.Errorf("plan %+v, %v", plan, err)
	}
}

// Verify looks at the shop once more, and believes nothing that was read for the
// restore it checks: what the shop changed along with it is found.
func TestEngine_Verify_afresh(t *testing.T) {
	t.Parallel()
	o, _, a := newOdd(t)
	o.kinds = func(kinds []rest.Kind) {
		kinds[1].Archive, kinds[1].Restore, kinds[1].Every = false, rest.Create, time.Hour
	}
	e := rest.New(o, rest.Options{Dir: o.dir})
	o.add("1", nil)
	o.bills["b1"] = map[string]any{"sum": 7}
	point, _ := capture(t, e, a)
	o.notes["1"]["name"] = "fel"
	c, err := e.Present(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	drain(t, c)
	o.apply = func(_ []rest.Op, results []rest.Result) ([]rest.Result, error) {
		o.bills["b1"]["sum"] = 8 // the shop does so by itself
		return results, nil
	}
	r := app.Restore{Access: a, From: point}
	if err := e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	checks, err := e.Verify(t.Context(), r)
	if err != nil || len(checks) != 2 || !checks[0].OK || checks[1].OK {
		t.Errorf("checks %+v, %v", checks, err)
	}
}

// What a restore wrote is read again by name, and what the shop made of it is
// found, also where nothing else is read again.
func TestEngine_Verify_written(t *testing.T) {
	t.Parallel()
	for deletions, changes := range map[rest.Deletions]rest.Changes{rest.ByFeed: rest.ByCursor, rest.BySweep: rest.ByMention, rest.ByAbsence: rest.ByList} {
		for _, every := range []time.Duration{0, rest.Night} {
			o, _, a := newOdd(t)
			o.kinds = func(kinds []rest.Kind) {
				kinds[0].Changes, kinds[0].Deletions, kinds[0].Every = changes, deletions, every
			}
			e := rest.New(o, rest.Options{Dir: o.dir})
			for i := range 300 {
				o.add(fmt.Sprint(i), nil)
			}
			point, _ := capture(t, e, a)
			for i := range 250 {
				o.notes[fmt.Sprint(i)]["name"] = "fel"
			}
			delete(o.notes, "299")
			c, err := e.Present(t.Context(), a)
			if err != nil {
				t.Fatal(err)
			}
			if !c.Far {
				t.Error("a safety point reads all that the newest backup has")
			}
			drain(t, c)
			r := app.Restore{Access: a, From: point}
			o.apply = func(_ []rest.Op, results []rest.Result) ([]rest.Result, error) {
				if m := o.notes["249"]; m["name"] != "fel" {
					m["name"] = "annat" // the shop takes it otherwise
				}
				return results, nil
			}
			if err := e.Apply(t.Context(), r, silent{}); err != nil {
				t.Fatal(err)
			}
			checks, err := e.Verify(t.Context(), r)
			if err != nil || len(checks) != 1 || checks[0].OK || !strings.Contains(checks[0].Detail, "1 differ") {
				t.Errorf("%s, %s: checks %+v, %v", changes, every, checks, err)
			}
			if got := connectortest.Seen(t, checks); got != "records: records_differ notes 1/300 249" {
				t.Errorf("the owner is told %q", got)
			}
			o.apply = nil
			if err := e.Apply(t.Context(), r, silent{}); err != nil {
				t.Fatal(err)
			}
			if checks, err = e.Verify(t.Context(), r); err != nil || len(checks) != 1 || !checks[0].OK {
				t.Errorf("%s, %s: checks %+v, %v", changes, every, checks, err)
			}
		}
	}
}

// locked is an odd stall without a key that may write.
type locked struct{ *odd }

func (l *locked) Open(_ context.Context, _ app.Access, write bool) (rest.Shop, error) {
	if write {
		return nil, app.Errorf(app.CodeSecretMissing, "test", "no key").With("field", "key")
	}
	return l.odd, nil
}

// A restore that was agreed to is planned without reading the shop, which is read
// for the safety point next. Where no key may write, it is said whether one is
// needed.
func TestEngine_Plan_agreed(t *testing.T) {
	t.Parallel()
	o, e, a := newOdd(t)
	o.add("1", nil)
	point, _ := capture(t, e, a)
	r := app.Restore{Access: a, From: point, Agreed: true}
	o.lists = 0
	plan, err := e.Plan(t.Context(), r)
	if err != nil || !plan.Exists || plan.Where != "Ståndet" || len(plan.Blockers) > 0 || o.lists > 0 {
		t.Errorf("plan %+v, %d lists, %v", plan, o.lists, err)
	}
	shut := rest.New(&locked{o}, rest.Options{Dir: o.dir})
	if plan, err = shut.Plan(t.Context(), r); err != nil || len(plan.Blockers) > 0 {
		t.Errorf("nothing to do without a key: %+v, %v", plan, err)
	}
	o.notes["1"]["name"] = "fel"
	if plan, err = shut.Plan(t.Context(), r); err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSecretMissing {
		t.Errorf("something to do without a key: %+v, %v", plan, err)
	}
}
