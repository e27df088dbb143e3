package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	gosync "sync"
	"testing"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

func pack(prefix string, n int) string { return fmt.Sprintf("%s%032x-s0123456789abcdef147", prefix, n) }
func indexOf(prefix string, n int) string {
	return fmt.Sprintf("%s%032x-s0123456789abcdef147-c1", prefix, n)
}

// shop makes a vault of two packs and an index.
func shop() (Vault, *memory) {
	m := newMemory()
	m.put(pack("p", 1), "data one")
	m.put(pack("q", 1), "listing one")
	m.put(indexOf("xn0_", 1), "index one")
	m.put("kopia.maintenance", "schedule")
	m.put("kopia.blobcfg", "lock")
	m.put("kopia.repository", `{"uniqueID":"AQID"}`)
	m.put("s0123456789abcdef147", "session")
	m.put("_log_1", "log")
	m.put("kvart-probe-1", "probe")
	return Vault{
		ID: "010203", Store: m, Live: 1000,
		Prepare: func(context.Context, []blob.ID) error { return nil },
		Needed:  func(blob.ID) bool { return false },
		Sound:   func(blob.ID, []byte) error { return nil },
	}, m
}

func place(m *memory) Place {
	return Place{
		Store: m, Where: "memory", Begin: true, Workers: 3,
		Present: func(context.Context) error { return nil },
		Free:    func(context.Context) int64 { return -1 },
		Refused: func(err error) bool { return errors.Is(err, errRefused) },
	}
}

type quiet struct{}

func (quiet) Expect(int64, int64) {}
func (quiet) Done(int64, int64)   {}

func mirrorTo(t *testing.T, v Vault, p Place, share float64) app.CopyReport {
	t.Helper()
	r, err := Sync(t.Context(), v, p, share, quiet{})
	if err != nil {
		t.Fatalf("sync: %v", err)
	}
	return r
}

func wantCode(t *testing.T, err error, want app.Code) {
	t.Helper()
	if got := app.CodeOf(err); got != want {
		t.Errorf("code %q (%v), want %q", got, err, want)
	}
}

// wantEqual compares what belongs into a copy.
func wantEqual(t *testing.T, vault, copied *memory) {
	t.Helper()
	for id, b := range vault.objects {
		if newNames().class(id) == classNone {
			if _, ok := copied.objects[id]; ok {
				t.Errorf("%s was copied", id)
			}
			continue
		}
		if !bytes.Equal(copied.objects[id], b) {
			t.Errorf("%s is %q, want %q", id, copied.objects[id], b)
		}
	}
}

func TestSync_CopiesInOrder(t *testing.T) {
	t.Parallel()
	v, from := shop()
	to := newMemory()
	mirrorTo(t, v, place(to), 0)
	wantEqual(t, from, to)
	at := func(id string) time.Time { return to.times[blob.ID(id)] }
	for _, pair := range [][2]string{
		{pack("p", 1), indexOf("xn0_", 1)},
		{pack("q", 1), indexOf("xn0_", 1)},
		{indexOf("xn0_", 1), "kopia.blobcfg"},
		{"kopia.maintenance", "kopia.repository"},
		{"kopia.blobcfg", "kopia.repository"},
	} {
		if !at(pair[0]).Before(at(pair[1])) {
			t.Errorf("%s came after %s", pair[0], pair[1])
		}
	}
}

func TestSync_DiesAtEveryWrite(t *testing.T) {
	t.Parallel()
	v, from := shop()
	for i := range 5 {
		from.put(pack("p", 10+i), fmt.Sprint("more ", i))
		from.put(indexOf("xn0_", 10+i), fmt.Sprint("index ", i))
	}
	for n := 0; ; n++ {
		to := newMemory()
		to.writes = n
		_, err := Sync(t.Context(), v, place(to), 0, quiet{})
		to.writes = -1
		if _, opens := to.objects["kopia.repository"]; opens {
			wantEqual(t, from, to)
		}
		for id := range to.objects {
			if newNames().isIndex(id) {
				for p := range from.objects {
					if _, ok := to.objects[p]; !ok && newNames().class(p) == classPack {
						t.Errorf("killed at write %d: %s came before %s", n, id, p)
					}
				}
			}
		}
		p := place(to)
		p.Begin = n == 0 // what is half-made is known by its marker
		mirrorTo(t, v, p, 0)
		wantEqual(t, from, to)
		if err == nil {
			return
		}
		if !errors.Is(err, errDead) {
			t.Fatalf("killed at write %d: %v", n, err)
		}
	}
}

func TestSync_LetsGoAfterAWeek(t *testing.T) {
	t.Parallel()
	v, from := shop()
	from.put(pack("p", 2), "old")
	from.put(indexOf("xn0_", 2), "old index")
	to := newMemory()
	to.put("holiday.jpg", "theirs")
	mirrorTo(t, v, place(to), 0)
	from.drop(pack("p", 2))
	from.drop(indexOf("xn0_", 2))
	kept := len(to.names())
	for _, days := range []int{0, 3, 3} {
		to.now = to.now.AddDate(0, 0, days)
		if r := mirrorTo(t, v, place(to), 0); r.Removed != 0 || len(to.names()) != kept {
			t.Fatalf("after %d days more: %+v, %v", days, r, to.names())
		}
	}
	to.now = to.now.AddDate(0, 0, 2)
	if r := mirrorTo(t, v, place(to), 0); r.Removed != 2 || len(to.names()) != kept-2 || !slices.Contains(to.names(), "holiday.jpg") {
		t.Errorf("after a week: %+v, %v", r, to.names())
	}
	wantEqual(t, from, to)
}

// What the index still refers to was lost, not let go.
func TestSync_KeepsWhatIsNeeded(t *testing.T) {
	t.Parallel()
	v, from := shop()
	to := newMemory()
	mirrorTo(t, v, place(to), 0)
	v.Needed = func(id blob.ID) bool { return string(id) == pack("p", 1) }
	from.drop(pack("p", 1))
	for range 3 {
		to.now = to.now.AddDate(0, 0, 8)
		mirrorTo(t, v, place(to), 0)
	}
	if !slices.Contains(to.names(), pack("p", 1)) {
		t.Error("the only pack there was is gone")
	}
}

func TestSync_KeyThatMayNotDelete(t *testing.T) {
	t.Parallel()
	v, from := shop()
	from.put(pack("p", 2), "old")
	to := newMemory()
	to.refuse = true
	mirrorTo(t, v, place(to), 0)
	from.drop(pack("p", 2))
	for range 3 {
		to.now = to.now.AddDate(0, 0, 8)
		if r := mirrorTo(t, v, place(to), 0); r.Removed != 0 {
			t.Errorf("report %+v", r)
		}
	}
}

func TestSync_Refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		want app.Code
		set  func(v *Vault, from, to *memory, p *Place)
	}{
		{"no room", app.CodeStorageFull, func(_ *Vault, _, _ *memory, p *Place) { p.Free = func(context.Context) int64 { return 1000 } }},
		{"other data", app.CodeStorageForeign, func(_ *Vault, _, _ *memory, p *Place) { p.Begin = false }},
		{"no index", app.CodeCopyShrunk, func(_ *Vault, from, _ *memory, _ *Place) { from.drop(indexOf("xn0_", 1)) }},
		{"only an epoch's mark is left of the index", app.CodeCopyShrunk, func(_ *Vault, from, _ *memory, _ *Place) {
			from.drop(indexOf("xn0_", 1))
			from.put("xe1", "epoch-marker")
		}},
		{"no format blob", app.CodeCopyShrunk, func(_ *Vault, from, _ *memory, _ *Place) { from.drop("kopia.repository") }},
		{"another repository", app.CodeVaultOther, func(_ *Vault, _, to *memory, _ *Place) { to.put("kopia.repository", `{"uniqueID":"CQkJ"}`) }},
		{"the like without a marker", app.CodeStorageForeign, func(_ *Vault, _, to *memory, _ *Place) { to.put("kopia.repository", `{"uniqueID":"AQID"}`) }},
		{"another vault's copy", app.CodeVaultOther, func(_ *Vault, _, to *memory, _ *Place) { to.put(string(Marker), `{"vault":"090909"}`) }},
		{"a garbled marker", app.CodeStorageForeign, func(_ *Vault, _, to *memory, _ *Place) { to.put(string(Marker), `{`) }},
	}
	for _, tt := range tests {
		v, from := shop()
		to := newMemory()
		p := place(to)
		tt.set(&v, from, to, &p)
		before := to.names()
		_, err := Sync(t.Context(), v, p, 0, quiet{})
		t.Log(tt.name)
		wantCode(t, err, tt.want)
		if !slices.Equal(before, to.names()) {
			t.Errorf("%s: it held %v, now %v", tt.name, before, to.names())
		}
	}
}

func TestSync_RefusesAVaultThatShrank(t *testing.T) {
	t.Parallel()
	v, _ := shop()
	to := newMemory()
	mirrorTo(t, v, place(to), 0)
	v.Live = 600
	mirrorTo(t, v, place(to), 0)
	v.Live = 299
	_, err := Sync(t.Context(), v, place(to), 0, quiet{})
	wantCode(t, err, app.CodeCopyShrunk)
	v.Live = 301
	mirrorTo(t, v, place(to), 0)
}

func TestSync_RefusesItself(t *testing.T) {
	t.Parallel()
	v, from := shop()
	from.put(string(Marker), `{"vault":"010203","known":["`+pack("p", 1)+`"]}`) // it was a copy once
	_, err := Sync(t.Context(), v, place(from), 0, quiet{})
	wantCode(t, err, app.CodeStorageUnsafe)
}

func TestSync_GarbledMarkerOfAWholeCopy(t *testing.T) {
	t.Parallel()
	v, from := shop()
	to := newMemory()
	mirrorTo(t, v, place(to), 0)
	to.put(string(Marker), "garbled")
	from.drop(pack("q", 1))
	from.put(pack("q", 2), "listing two")
	mirrorTo(t, v, place(to), 0)
	wantEqual(t, from, to)
}

// The vault is maintained while it is copied: an index is not copied without
// the packs it speaks of.
func TestSync_VaultChangesMeanwhile(t *testing.T) {
	t.Parallel()
	v, from := shop()
	from.put(pack("q", 5), "to be merged")
	to := newMemory()
	once := gosync.OnceFunc(func() {
		from.put(pack("q", 6), "merged")
		from.put(indexOf("xn0_", 6), "index of merged")
		from.drop(pack("q", 5))
	})
	from.onGet = func(blob.ID) { once() }
	mirrorTo(t, v, place(to), 0)
	from.onGet = nil
	for id := range to.objects {
		if string(id) == indexOf("xn0_", 6) && to.objects[blob.ID(pack("q", 6))] == nil {
			t.Error("the index came without its pack")
		}
	}
	mirrorTo(t, v, place(to), 0)
	wantEqual(t, from, to)
}

func TestSync_ReadsBack(t *testing.T) {
	t.Parallel()
	v, _ := shop()
	to := newMemory()
	to.garble[blob.ID(pack("p", 1))] = 1
	mirrorTo(t, v, place(to), 0)
	if got := string(to.objects[blob.ID(pack("p", 1))]); got != "data one" {
		t.Errorf("the copy holds %q", got)
	}
	to = newMemory()
	to.garble[blob.ID(pack("p", 1))] = 100
	_, err := Sync(t.Context(), v, place(to), 0, quiet{})
	wantCode(t, err, app.CodeReadBack)
}

func TestSync_PlaceGoes(t *testing.T) {
	t.Parallel()
	v, _ := shop()
	to := newMemory()
	p := place(to)
	left := 2
	p.Present = func(context.Context) error {
		if left--; left < 0 {
			return app.Errorf(app.CodeStorageGone, "look", "pulled")
		}
		return nil
	}
	p.Workers = 1
	_, err := Sync(t.Context(), v, p, 0, quiet{})
	wantCode(t, err, app.CodeStorageGone)
	if len(to.names()) != 2 {
		t.Errorf("the mount point grew %v", to.names())
	}
}

func TestSync_LocksAndExtends(t *testing.T) {
	t.Parallel()
	v, from := shop()
	to := newMemory()
	p := place(to)
	p.Lock = blob.PutOptions{RetentionMode: blob.Governance, RetentionPeriod: 30 * 24 * time.Hour}
	mirrorTo(t, v, p, 0)
	for id := range to.objects {
		want := p.Lock.RetentionPeriod
		if id == Marker || id == "kopia.maintenance" {
			want = 0
		}
		if to.retained[id] != want {
			t.Errorf("%s is locked for %v, want %v", id, to.retained[id], want)
		}
	}
	to.now = to.now.AddDate(0, 0, 5)
	mirrorTo(t, v, p, 0)
	if to.extended != 0 {
		t.Errorf("%d locks extended after five days", to.extended)
	}
	to.now = to.now.AddDate(0, 0, 6)
	from.put(pack("p", 7), "new")
	mirrorTo(t, v, p, 0)
	if to.extended != 5 {
		t.Errorf("%d locks extended, want those of five objects", to.extended)
	}
}

func TestSync_FewAtOnce(t *testing.T) {
	t.Parallel()
	v, from := shop()
	for i := range 40 {
		from.put(pack("p", 100+i), "x")
	}
	from.onGet = func(blob.ID) { time.Sleep(time.Millisecond) }
	mirrorTo(t, v, place(newMemory()), 0)
	if from.most > 3 {
		t.Errorf("%d objects at once", from.most)
	}
}

func TestSync_Canceled(t *testing.T) {
	t.Parallel()
	v, from := shop()
	ctx, cancel := context.WithCancel(t.Context())
	from.onGet = func(blob.ID) { cancel() }
	if _, err := Sync(ctx, v, place(newMemory()), 0, quiet{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
