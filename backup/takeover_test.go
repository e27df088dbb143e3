package backup_test

import (
	"context"
	"io"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// opened counts how often an item is read.
func opened(it app.Item, times *int) app.Item {
	read := it.Open
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		*times++
		return read(ctx)
	}
	return it
}

// A dump of which its source says that it is the version in the last point is
// taken over unread; anything else about it, and it is read.
func TestVault_RollingIsTakenOver(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	text := table(20_000)
	at := time.Date(2026, 11, 22, 14, 30, 0, 123456789, time.UTC)
	kept := rolling("tables/order.sql", text)
	kept.ModTime = at
	changing := func(n int) app.Item { return rolling("tables/cart.sql", table(1000+n)) }
	first := vaulttest.Save(t, v, vaulttest.Request("db", kept, changing(0)))

	older, newer, unsized := kept, kept, kept
	older.ModTime, newer.ModTime = at.Add(-time.Nanosecond), at.Add(time.Nanosecond)
	longer := rolling("tables/order.sql", append(text[:len(text):len(text)], "(1),\n"...))
	longer.ModTime = at
	unsized.Size = -1
	moved := rolling("tables/other.sql", text)
	moved.ModTime = at
	for i, tt := range []struct {
		name string
		item app.Item
		read int
	}{
		{"same", kept, 0}, {"same once more", kept, 0}, {"older", older, 1}, {"kept", kept, 1}, {"newer", newer, 1}, {"longer", longer, 1}, {"kept again", kept, 1}, {"unsized", unsized, 1}, {"moved", moved, 1},
	} {
		times := 0
		r := vaulttest.Save(t, v, vaulttest.Request("db", opened(tt.item, &times), changing(i+1)))
		if times != tt.read {
			t.Errorf("%s: read %d times, want %d", tt.name, times, tt.read)
		}
		vaulttest.Compare(t, v, r.Point.ID, tt.item, changing(i+1))
		if !r.Point.Verified {
			t.Errorf("%s: not verified", tt.name)
		}
	}
	if rep, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(rep.Damaged) > 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	vaulttest.Compare(t, v, first.Point.ID, kept, changing(0))
}

// A vault that forgot what the point before consists of reads everything.
func TestVault_RollingIsReadWithoutMemory(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	it := rolling("a.sql", table(20_000))
	vaulttest.Save(t, v, vaulttest.Request("db", it))
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.StateDir = t.TempDir()
	v = f.Open(t)
	times := 0
	r := vaulttest.Save(t, v, vaulttest.Request("db", opened(it, &times)))
	if times != 1 {
		t.Errorf("read %d times", times)
	}
	vaulttest.Compare(t, v, r.Point.ID, it)
	// Another source's point of the same name is not this one's.
	times = 0
	r = vaulttest.Save(t, v, vaulttest.Request("other", opened(it, &times)))
	if times != 1 {
		t.Errorf("taken over from another source")
	}
	vaulttest.Compare(t, v, r.Point.ID, it)
}
