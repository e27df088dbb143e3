package backup_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/vaulttest"
)

func rolling(name string, data []byte) app.Item {
	it := vaulttest.File(name, data)
	it.Rolling = true
	return it
}

// table is a dump of a table of so many rows.
func table(rows int) []byte {
	var b bytes.Buffer
	r := rand.New(rand.NewPCG(3, 4))
	for i := range rows {
		fmt.Fprintf(&b, "(%d,'order %x',%d),\n", i, r.Uint64(), r.IntN(1000))
	}
	return b.Bytes()
}

// A row inserted in the middle of a dump costs a few segments, not all that
// come after it; and what is stored reads back the same.
func TestVault_RollingCostsWhatIsNew(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	text := table(200_000)
	first := vaulttest.Save(t, v, vaulttest.Request("db", rolling("tables/order.sql", text)))
	changed := append(append(bytes.Clone(text[:len(text)/3]), "(7,'new',1),\n"...), text[len(text)/3:]...)
	for _, name := range []string{"remembered", "forgotten"} {
		w := v
		if name == "forgotten" {
			if err := v.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			f.StateDir = t.TempDir()
			w = f.Open(t)
		}
		changed = append(changed, name...)
		r := vaulttest.Save(t, w, vaulttest.Request("db", rolling("tables/order.sql", changed)))
		if r.BytesUploaded > first.BytesUploaded/10 {
			t.Errorf("%s: %d bytes for one row, the first time %d", name, r.BytesUploaded, first.BytesUploaded)
		}
		vaulttest.Compare(t, w, r.Point.ID, rolling("tables/order.sql", changed))
		if rep, err := w.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(rep.Damaged) > 0 {
			t.Errorf("%s: %+v, %v", name, rep, err)
		}
	}
}

func TestVault_RollingSizes(t *testing.T) {
	t.Parallel()
	v := fixture(t).Create(t)
	var items []app.Item
	for _, n := range []int{0, 1, 4 << 10, 4<<10 + 1, 64 << 10, 64<<10 + 1, 3 << 20} {
		items = append(items, rolling(fmt.Sprint("d/", n), vaulttest.Noise(n, uint64(n))))
	}
	r := vaulttest.Save(t, v, vaulttest.Request("db", items...))
	vaulttest.Compare(t, v, r.Point.ID, items...)
}

// One dump becomes several items as it streams: each has to be read before the
// next is asked for.
func TestVault_RollingIsReadInTurn(t *testing.T) {
	t.Parallel()
	v := fixture(t).Create(t)
	reading := ""
	req := vaulttest.Request("db")
	req.Items = func(yield func(app.Item, error) bool) {
		for _, name := range []string{"a.sql", "b.sql", "c.sql"} {
			it := rolling(name, nil)
			it.Size = -1
			it.Open = func(context.Context) (io.ReadCloser, error) {
				reading += "<" + name
				return closing{bytes.NewReader(table(1000)), func() { reading += ">" }}, nil
			}
			if !yield(it, nil) {
				return
			}
			reading += "|"
		}
	}
	vaulttest.Save(t, v, req)
	if want := "<a.sql>|<b.sql>|<c.sql>|"; reading != want {
		t.Errorf("read %q, want %q", reading, want)
	}
}

type closing struct {
	io.Reader
	closed func()
}

func (c closing) Close() error {
	c.closed()
	return nil
}

// A dump that breaks off is no backup.
func TestVault_RollingThatBreaksOff(t *testing.T) {
	t.Parallel()
	v := fixture(t).Create(t)
	vaulttest.Save(t, v, vaulttest.Request("db", rolling("a.sql", table(1000))))
	it := rolling("a.sql", nil)
	it.Open = func(context.Context) (io.ReadCloser, error) {
		broken := io.MultiReader(bytes.NewReader(table(500)), failing{})
		return io.NopCloser(broken), nil
	}
	res, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("db", it)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, res[0].Err, app.CodeSourceUnreadable)
	if points := vaulttest.Points(t, v, app.PointFilter{}); len(points) != 1 {
		t.Errorf("%d points, want the first alone", len(points))
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, fmt.Errorf("mysqldump: lost connection") }

// interrupted is a dump that somebody calls off when some of it was read; it notes
// whether it is closed while it is still being read.
type interrupted struct {
	stop    func()
	left    int // bytes until then
	reading atomic.Bool
	closed  chan struct{}
	amid    atomic.Bool
}

func (r *interrupted) Read(b []byte) (int, error) {
	r.reading.Store(true)
	defer r.reading.Store(false)
	if r.left -= len(b); r.left < 0 {
		r.stop()
		select { // what follows takes its time
		case <-r.closed:
		case <-time.After(300 * time.Millisecond):
		}
	}
	return copy(b, vaulttest.Noise(len(b), uint64(len(b)))), nil
}

func (r *interrupted) Close() error {
	r.amid.Store(r.reading.Load())
	close(r.closed)
	return nil
}

// A dump that is called off is closed when nobody reads it any more.
func TestVault_RollingCalledOff(t *testing.T) {
	t.Parallel()
	v := fixture(t).Create(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	r := &interrupted{stop: stop, left: 2 << 20, closed: make(chan struct{})}
	it := rolling("tables/order.sql", nil)
	it.Size, it.Open = -1, func(context.Context) (io.ReadCloser, error) { return r, nil }
	if _, err := v.Save(ctx, []app.SaveRequest{vaulttest.Request("db", it)}, nil); err == nil {
		t.Error("it was called off, and is saved")
	}
	if r.amid.Load() {
		t.Error("closed while it was read")
	}
	select {
	case <-r.closed:
	default:
		t.Error("left open")
	}
}
