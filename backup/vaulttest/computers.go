package vaulttest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"kvart/app"
)

// As opens the fixture's vault as a computer of its own, with a state folder
// of its own, and closes it with the test.
func (f *Fixture) As(t *testing.T, id app.ComputerID) app.Vault {
	t.Helper()
	s := f.Setup()
	s.Computer = app.Computer{ID: id, Name: "Datorn " + string(id)}
	s.StateDir = t.TempDir()
	v, err := f.Provider.Open(t.Context(), s)
	if err != nil {
		t.Fatalf("open as %s: %v", id, err)
	}
	closeLater(t, v)
	return v
}

// ability returns what a vault can do besides.
func ability[T any](t *testing.T, v app.Vault) T {
	t.Helper()
	a, ok := v.(T)
	if !ok {
		t.Fatalf("%T lacks an ability", v)
	}
	return a
}

// Computers lists a vault's computers.
func Computers(t *testing.T, v app.Vault) []app.Computer {
	t.Helper()
	list, err := ability[app.Roster](t, v).Computers(t.Context())
	if err != nil {
		t.Fatalf("computers: %v", err)
	}
	return list
}

func trySave(t *testing.T, v app.Vault, source app.SourceID) error {
	t.Helper()
	_, err := v.Save(t.Context(), []app.SaveRequest{Request(source, File("a", []byte(source)))}, nil)
	return err
}

func testRoster(t *testing.T, f *Fixture) {
	first := f.Create(t)
	if list := Computers(t, first); len(list) != 0 {
		t.Errorf("nobody stored anything, there are %+v", list)
	}
	second := f.As(t, "lagret")
	a := Save(t, first, Request("kassa", File("a", []byte("1"))))
	b := Save(t, second, Request("lager", File("a", []byte("2"))))
	if a.Point.Computer != FirstComputer || b.Point.Computer != "lagret" {
		t.Errorf("points of %q and %q", a.Point.Computer, b.Point.Computer)
	}
	for _, v := range []app.Vault{first, second} {
		list := Computers(t, v)
		if len(list) != 2 || list[0].ID != FirstComputer || list[1].ID != "lagret" || list[1].Name != "Datorn lagret" {
			t.Fatalf("computers %+v", list)
		}
		wantEntries(t, v, list)
	}
}

// wantEntries checks what two computers that stored once each are known by.
func wantEntries(t *testing.T, v app.Vault, list []app.Computer) {
	t.Helper()
	for _, c := range list {
		if c.Joined.IsZero() || c.Seen.IsZero() || c.ReplacedBy != "" || c.Maintains != (c.ID == FirstComputer) {
			t.Errorf("computer %+v", c)
		}
	}
	points := Points(t, v, app.PointFilter{})
	if len(points) != 2 || points[0].Computer != "lagret" || points[1].Computer != FirstComputer {
		t.Errorf("points %+v", points)
	}
}

func testReplace(t *testing.T, f *Fixture) {
	old := f.Create(t)
	item := File("a", []byte("1"))
	before := Save(t, old, Request("kassa", item))
	fresh := f.As(t, "nya")
	roster := ability[app.Roster](t, fresh)
	wantCode(t, roster.Replace(t.Context(), "nobody"), app.CodeComputerUnknown)
	if err := roster.Replace(t.Context(), app.NoComputer); err != nil {
		t.Errorf("joining: %v", err)
	}
	if err := roster.Replace(t.Context(), FirstComputer); err != nil {
		t.Fatalf("replace: %v", err)
	}
	err := trySave(t, old, "kassa")
	wantCode(t, err, app.CodeReplaced)
	var coded *app.Error
	if !errors.As(err, &coded) || coded.Args["computer"] != "Datorn nya" {
		t.Errorf("replaced by %+v", coded)
	}
	wantCode(t, trySave(t, f.As(t, FirstComputer), "kassa"), app.CodeReplaced)
	if list := Computers(t, fresh); len(list) != 1 || list[0].ReplacedBy != "nya" {
		t.Errorf("computers %+v", list)
	}
	after := Save(t, fresh, Request("kassa", item))
	if after.Point.Seq <= before.Point.Seq {
		t.Errorf("sequence %d after %d", after.Point.Seq, before.Point.Seq)
	}
	if after.BytesUploaded > 100_000 {
		t.Errorf("the same data uploaded %d bytes from another computer", after.BytesUploaded)
	}
	if err := ability[app.Roster](t, old).Replace(t.Context(), app.NoComputer); err != nil {
		t.Fatalf("step in: %v", err)
	}
	if err := trySave(t, old, "kassa"); err != nil {
		t.Errorf("after stepping in: %v", err)
	}
}

func testTwoGuards(t *testing.T, f *Fixture) {
	first := f.Create(t)
	Save(t, first, Request("kassa", File("a", []byte("1"))))
	clone := f.As(t, FirstComputer)
	Save(t, first, Request("kassa", File("a", []byte("2"))))
	Save(t, clone, Request("kassa", File("a", []byte("3"))))
	wantCode(t, trySave(t, first, "kassa"), app.CodeTwoGuards)
	wantCode(t, trySave(t, first, "kassa"), app.CodeTwoGuards)
	Save(t, clone, Request("kassa", File("a", []byte("4"))))
	if err := ability[app.Roster](t, first).Replace(t.Context(), FirstComputer); err != nil {
		t.Fatalf("step in: %v", err)
	}
	wantCode(t, trySave(t, clone, "kassa"), app.CodeTwoGuards)
	Save(t, first, Request("kassa", File("a", []byte("5"))))
	if list := Computers(t, first); len(list) != 1 {
		t.Errorf("computers %+v", list)
	}
	if points := Points(t, first, app.PointFilter{}); len(points) != 5 {
		t.Errorf("%d points, want 5", len(points))
	}
}

func testRacingGuards(t *testing.T, f *Fixture) {
	f.Create(t)
	guards := []app.Vault{f.As(t, FirstComputer), f.As(t, FirstComputer), f.As(t, FirstComputer)}
	var wg sync.WaitGroup
	for _, v := range guards {
		wg.Go(func() { _ = trySave(t, v, "kassa") }) // any of them may be refused
	}
	wg.Wait()
	going := 0
	for _, v := range guards {
		err := trySave(t, v, "kassa")
		if err == nil {
			going++
			continue
		}
		wantCode(t, err, app.CodeTwoGuards)
	}
	if going == 0 {
		t.Error("no guard goes on")
	}
	going = 0
	for _, v := range guards {
		if trySave(t, v, "kassa") == nil {
			going++
		}
	}
	if going != 1 {
		t.Errorf("%d guards go on, want one", going)
	}
}

func testExpired(t *testing.T, f *Fixture) {
	owner := f.Create(t)
	other := f.As(t, "lagret")
	var ids []app.PointID
	for i := range 4 {
		v := []app.Vault{owner, other}[i%2]
		ids = append(ids, Save(t, v, Request("s", File("a", []byte{byte(i)}))).Point.ID)
	}
	if err := other.Maintain(t.Context(), app.Retention{Latest: 1}); err != nil {
		t.Fatalf("maintain on another computer: %v", err)
	}
	if points := Points(t, owner, app.PointFilter{}); len(points) != 4 {
		t.Errorf("another computer's maintenance left %d points", len(points))
	}
	for keep := 2; keep > 0; keep-- {
		if err := owner.Maintain(t.Context(), app.Retention{Latest: keep}); err != nil {
			t.Fatalf("maintain: %v", err)
		}
		want := slices.Sorted(slices.Values(ids[:4-keep]))
		for _, v := range []app.Vault{owner, other} {
			gone, err := v.Expired(t.Context())
			slices.Sort(gone)
			if err != nil || !slices.Equal(gone, want) {
				t.Errorf("expired %v, %v, want %v", gone, err, want)
			}
			if points := Points(t, v, app.PointFilter{}); len(points) != keep || points[0].ID != ids[3] {
				t.Errorf("points %+v", points)
			}
		}
	}
}

func testStates(t *testing.T, f *Fixture) {
	for _, id := range []app.ComputerID{FirstComputer, "lagret"} {
		var v app.Vault
		if id == FirstComputer {
			v = f.Create(t)
		} else {
			v = f.As(t, id)
		}
		for i := range 2 {
			r := Request("kvart-"+app.SourceID(id), File("settings.json", []byte{byte(i)}))
			r.Kind = app.PointState
			Save(t, v, r)
		}
	}
	v := f.As(t, "lagret")
	points := Points(t, v, app.PointFilter{Kinds: []app.PointKind{app.PointState}})
	if len(points) != 4 || points[0].Source != "kvart-lagret" || points[3].Source != "kvart-"+app.SourceID(FirstComputer) {
		t.Errorf("states %+v", points)
	}
}
