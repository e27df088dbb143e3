package vaulttest

import (
	"io/fs"
	"testing"
	"time"

	"kvart/app"
)

func testOrder(t *testing.T, f *Fixture) {
	v := f.Create(t)
	times := []time.Time{
		Stamp(), Stamp().AddDate(0, 0, 400), Stamp().Add(15 * time.Minute), Stamp().Add(-26 * time.Hour), Stamp().Add(30 * time.Minute),
	}
	var ids []app.PointID
	for i, at := range times {
		r := Request("s", File("n", []byte{byte(i)}))
		r.Time = at
		ids = append(ids, Save(t, v, r).Point.ID)
	}
	points := Points(t, v, app.PointFilter{})
	if len(points) != len(ids) {
		t.Fatalf("%d points, want %d", len(points), len(ids))
	}
	for i, p := range points {
		if want := ids[len(ids)-1-i]; p.ID != want {
			t.Errorf("point %d is %s, want %s", i, p.ID, want)
		}
		if i > 0 && p.Seq >= points[i-1].Seq {
			t.Errorf("sequence %d follows %d", p.Seq, points[i-1].Seq)
		}
	}
	if err := v.Maintain(t.Context(), app.Retention{Latest: 2}); err != nil {
		t.Fatalf("maintain: %v", err)
	}
	if points = Points(t, v, app.PointFilter{}); len(points) != 2 || points[0].ID != ids[4] || points[1].ID != ids[3] {
		t.Errorf("the clock expired new points: %+v", points)
	}
}

func testFilter(t *testing.T, f *Fixture) {
	v := f.Create(t)
	safety := Request("s", File("a", []byte("1")))
	safety.Kind = app.PointSafety
	late := Request("other", File("a", []byte("2")))
	late.Time = Stamp().Add(time.Hour)
	reqs := []app.SaveRequest{Request("s", File("a", []byte("1"))), safety, late}
	if _, err := v.Save(t.Context(), reqs, nil); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		f    app.PointFilter
		want int
	}{
		{app.PointFilter{}, 2},
		{app.PointFilter{Source: "s"}, 1},
		{app.PointFilter{Kinds: []app.PointKind{app.PointSafety}}, 1},
		{app.PointFilter{Kinds: []app.PointKind{app.PointSafety, app.PointBackup}}, 3},
		{app.PointFilter{Since: Stamp().Add(time.Minute)}, 1},
		{app.PointFilter{Source: "nobody"}, 0},
	}
	for _, tt := range tests {
		if got := Points(t, v, tt.f); len(got) != tt.want {
			t.Errorf("filter %+v: %d points, want %d", tt.f, len(got), tt.want)
		}
	}
}

func testPin(t *testing.T, f *Fixture) {
	v := f.Create(t)
	item := File("a", []byte("keep me"))
	first := Save(t, v, Request("s", item)).Point.ID
	if err := v.Pin(t.Context(), first, true); err != nil {
		t.Fatalf("pin: %v", err)
	}
	for i := range 3 {
		Save(t, v, Request("s", File("a", []byte{byte(i)})))
	}
	if err := v.Maintain(t.Context(), app.Retention{Latest: 1}); err != nil {
		t.Fatalf("maintain: %v", err)
	}
	points := Points(t, v, app.PointFilter{})
	if len(points) != 2 || points[1].ID != first || !points[1].Pinned || points[0].Pinned {
		t.Fatalf("points %+v", points)
	}
	Compare(t, v, first, item)
	if err := v.Pin(t.Context(), first, false); err != nil {
		t.Fatalf("unpin: %v", err)
	}
	if err := v.Maintain(t.Context(), app.Retention{Latest: 1}); err != nil {
		t.Fatalf("maintain: %v", err)
	}
	if points = Points(t, v, app.PointFilter{}); len(points) != 1 {
		t.Errorf("points %+v", points)
	}
}

func testRetention(t *testing.T, f *Fixture) {
	v := f.Create(t)
	// Six quarters: 03:04 to 04:19.
	for i := range 6 {
		r := Request("s", File("a", []byte{byte(i)}))
		r.Time = Stamp().Add(time.Duration(i) * 15 * time.Minute)
		Save(t, v, r)
	}
	safety := Request("s", File("a", []byte("before a restore")))
	safety.Kind = app.PointSafety
	Save(t, v, safety)
	Save(t, v, Request("other", File("a", nil)))
	if err := v.Maintain(t.Context(), app.Retention{}); err != nil {
		t.Fatalf("maintain: %v", err)
	}
	if got := Points(t, v, app.PointFilter{Source: "s"}); len(got) != 6 {
		t.Fatalf("an empty retention left %d points", len(got))
	}
	if err := v.Maintain(t.Context(), app.Retention{Latest: 1, Hourly: 2}); err != nil {
		t.Fatalf("maintain: %v", err)
	}
	points := Points(t, v, app.PointFilter{Source: "s"})
	if len(points) != 2 || points[0].Seq != 6 || points[1].Seq != 4 {
		t.Errorf("points %+v", points)
	}
	all := Points(t, v, app.PointFilter{Kinds: []app.PointKind{app.PointSafety, app.PointBackup}})
	if len(all) != 4 {
		t.Errorf("%d points in all, want 4", len(all))
	}
}

func testUnknownPoint(t *testing.T, f *Fixture) {
	v := f.Create(t)
	_, err := v.Open(t.Context(), "0123456789abcdef")
	wantCode(t, err, app.CodePointUnknown)
	wantCode(t, v.Pin(t.Context(), "nope", true), app.CodePointUnknown)
	_, err = v.Verify(t.Context(), app.VerifyRequest{Points: []app.PointID{"nope"}}, nil)
	wantCode(t, err, app.CodePointUnknown)

	id := Save(t, v, Request("s", File("a", nil))).Point.ID
	view, err := v.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = view.Close() }()
	if _, err := view.Open("../a"); err == nil {
		t.Error("a path outside was opened")
	}
	if _, err := fs.ReadDir(view, "nope"); err == nil {
		t.Error("a folder that isn't there was listed")
	}
}

func testReopen(t *testing.T, f *Fixture) {
	v := f.Create(t)
	items := manyItems()
	res := Save(t, v, Request("s", items...))
	before := describe(t, v)
	if err := v.Close(t.Context()); err != nil {
		t.Fatalf("close: %v", err)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := v.Save(t.Context(), []app.SaveRequest{Request("s", items...)}, nil); err == nil {
		t.Error("a closed vault saves")
	}
	f.StateDir = t.TempDir() // disposable
	v = f.Open(t)
	Compare(t, v, res.Point.ID, items...)
	after := describe(t, v)
	if before.ID == "" || before.ID != after.ID || after.Shop != "Åsas bod" || after.Storage != f.Spec.Kind || after.Where == "" {
		t.Errorf("described as %+v, then %+v", before, after)
	}
	again := Save(t, v, Request("s", items...))
	if again.Point.Seq != res.Point.Seq+1 {
		t.Errorf("sequence %d after %d", again.Point.Seq, res.Point.Seq)
	}
	if again.BytesUploaded > 200_000 {
		t.Errorf("the same data uploaded %d bytes after the state folder was lost", again.BytesUploaded)
	}
	Compare(t, v, again.Point.ID, items...)
}

func describe(t *testing.T, v app.Vault) app.VaultInfo {
	t.Helper()
	d, ok := v.(app.VaultDescriber)
	if !ok {
		t.Fatal("the vault does not describe itself")
	}
	info, err := d.Describe(t.Context())
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	return info
}

func testRefusals(t *testing.T, f *Fixture) {
	s := f.Setup()
	_, err := f.Provider.Open(t.Context(), s)
	wantCode(t, err, app.CodeVaultNone)
	s.ExpectID = "feed"
	_, err = f.Provider.Open(t.Context(), s)
	wantCode(t, err, app.CodeVaultMissing)
	s.Passphrase = app.NewSecret("too short")
	_, err = f.Provider.Create(t.Context(), s)
	wantCode(t, err, app.CodeWeakPassphrase)

	v := f.Create(t)
	id := describe(t, v).ID
	s = f.Setup()
	s.ExpectID = "feed"
	_, err = f.Provider.Open(t.Context(), s)
	wantCode(t, err, app.CodeVaultOther)
	s.ExpectID, s.Passphrase = id, app.NewSecret("another passphrase")
	_, err = f.Provider.Open(t.Context(), s)
	wantCode(t, err, app.CodeWrongPassphrase)
	s = f.Setup()
	s.ExpectID = id
	again, err := f.Provider.Open(t.Context(), s)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	closeLater(t, again)
	s.Storage.Kind = "carrier-pigeon"
	_, err = f.Provider.Open(t.Context(), s)
	wantCode(t, err, app.CodeUsage)
}

func testNoOverwrite(t *testing.T, f *Fixture) {
	v := f.Create(t)
	item := File("a", []byte("precious"))
	id := Save(t, v, Request("s", item)).Point.ID
	_, err := f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeVaultExists)
	other := f.Setup()
	other.Passphrase = app.NewSecret("another passphrase")
	_, err = f.Provider.Create(t.Context(), other)
	if err == nil {
		t.Error("a vault was made over another")
	}
	Compare(t, v, id, item)
}

func testProbe(t *testing.T, f *Fixture) {
	for _, want := range []app.LocationState{app.LocationEmpty, app.LocationEmpty, app.LocationVault} {
		if want == app.LocationVault {
			f.Create(t)
		}
		r, err := f.Provider.Probe(t.Context(), f.Spec)
		if err != nil {
			t.Fatalf("probe: %v", err)
		}
		if r.State != want || r.RoundTrip <= 0 || r.ClockSkew != 0 {
			t.Errorf("probe found %+v, want %s", r, want)
		}
	}
}

func testVerify(t *testing.T, f *Fixture) {
	v := f.Create(t)
	Save(t, v, Request("s", File("a", Noise(1000, 1)), File("m/b", Noise(2000, 2))))
	Save(t, v, Request("s", File("a", Noise(1001, 3)), Paged("db", Noise(1<<20, 4))))
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if r.Points != 2 || r.Files != 4 || r.Bytes < 1<<20 || len(r.Damaged) != 0 || len(r.DamagedPoints) != 0 {
		t.Errorf("report %+v", r)
	}
}
