package agent

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"kvart/app"
)

// shows is what a job's line would say.
func shows(s *shopTest) string {
	j := s.running()[0].snapshot()
	return fmt.Sprint(j.Step, " ", j.Source, " ", j.ItemsDone, "/", j.Items)
}

// What a source fetches before its first item is shown as a step of its own, and
// leaves the vault's counts alone; a source that tells nothing changes nothing.
func TestBackup_showsWhatIsFetched(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	var seen, reading []string
	late := func() {}
	s.shop.fetch = func(a app.Access) {
		if a.Source.Name != "Lager" {
			return
		}
		a.Progress.Expect(0, 0)
		seen = append(seen, shows(s))
		a.Progress.Expect(40, 0)
		a.Progress.Done(10, 99)
		s.running()[0].Expect(1000, 0) // the vault, about another source
		seen = append(seen, shows(s))
		late = func() { a.Progress.Done(30, 0) }
	}
	s.shop.slow = func(context.Context) {
		late()
		reading = append(reading, shows(s))
	}
	if got := states(s.backup()); got != "Kassan=done Lager=done" {
		t.Fatal(got)
	}
	if want := []string{"fetch Lager 0/0", "fetch Lager 10/40"}; !slices.Equal(seen, want) {
		t.Errorf("while fetching: %q, want %q", seen, want)
	}
	// the vault counts 1 of each source once it is read, and what it told meanwhile
	if want := []string{"capture Lager 0/0", "capture Lager 1/1001"}; !slices.Equal(reading, want) {
		t.Errorf("while storing: %q, want %q", reading, want)
	}
}

// What a source fetches while its items are taken is shown as that until the last
// one.
func TestBackup_showsWhatIsFetchedEarly(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	var access app.Access
	s.shop.fetch = func(a app.Access) {
		if a.Source.Name == "Lager" {
			access = a
		}
	}
	s.shop.early = true
	var reading []string
	s.shop.slow = func(context.Context) {
		if access.Progress == nil {
			return // the other source's turn
		}
		access.Progress.Expect(40, 0)
		access.Progress.Done(10, 0)
		reading = append(reading, shows(s))
	}
	if got := states(s.backup()); got != "Kassan=done Lager=done" || !access.Early {
		t.Fatal(got, access.Early)
	}
	if want := []string{"fetch Lager 10/40"}; !slices.Equal(reading, want) {
		t.Errorf("while fetching: %q, want %q", reading, want)
	}
}
