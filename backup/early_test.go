package backup_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// ahead is an early item, which tells when it was read.
func ahead(name string, data []byte, read chan<- string) app.Item {
	it := vaulttest.File(name, data)
	it.Early = true
	open := it.Open
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		r, err := open(ctx)
		return &telling{r, func() { read <- name }}, err
	}
	return it
}

// telling tells when it is closed.
type telling struct {
	io.ReadCloser
	tell func()
}

func (c *telling) Close() error {
	c.tell()
	return c.ReadCloser.Close()
}

// Early items are stored while the next ones are waited for, are the same in the
// point as any other, are read back, and are taken over by the next one.
func TestVault_Early(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	read := make(chan string, 100)
	a, b := ahead("goods/a.json", vaulttest.Noise(3000, 1), read), ahead("goods/sub/b.json", nil, read)
	big, last := ahead("big", vaulttest.Noise(9<<20, 2), read), vaulttest.File("orders/1.json", vaulttest.Noise(5000, 3))
	r := app.SaveRequest{Source: "shop", Kind: app.PointBackup, Time: vaulttest.Stamp(), Items: func(yield func(app.Item, error) bool) {
		for _, it := range []app.Item{a, b, big} {
			if !yield(it, nil) {
				return
			}
		}
		for range 3 {
			select {
			case <-read:
			case <-time.After(10 * time.Second):
				t.Error("not stored while the last item is waited for")
			}
		}
		yield(last, nil)
	}}
	first := vaulttest.Save(t, v, r)
	if want := int64(3000 + 9<<20 + 5000); first.Point.Files != 4 || first.Point.Bytes != want || first.BytesRead != want || !first.Point.Verified {
		t.Errorf("%+v", first)
	}
	same := []app.Item{vaulttest.File("goods/a.json", vaulttest.Noise(3000, 1)), vaulttest.File("goods/sub/b.json", nil), vaulttest.File("big", vaulttest.Noise(9<<20, 2)), last}
	vaulttest.Compare(t, v, first.Point.ID, same...)
	if rep, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(rep.Damaged) > 0 {
		t.Errorf("%+v, %v", rep, err)
	}
	second := vaulttest.Save(t, v, vaulttest.Request("shop", same...))
	if second.BytesRead != 0 {
		t.Errorf("%d bytes are read again", second.BytesRead)
	}
	if len(read) > 0 {
		t.Errorf("%s was opened again", <-read)
	}
}

// An early item that can't be read is left out where it may be, and otherwise ends
// the request, as any other does.
func TestVault_EarlyUnreadable(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	for _, optional := range []bool{true, false} {
		read := make(chan string, 100)
		it := ahead("a.json", []byte("half"), read)
		it.Optional = optional
		it.Open = func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(&cut{}), nil
		}
		r, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("shop", it, ahead("b.json", []byte("b"), read))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if optional {
			if r[0].Err != nil || len(r[0].Problems) != 1 || !r[0].Point.Verified {
				t.Errorf("%+v", r[0])
			}
			vaulttest.Compare(t, v, r[0].Point.ID, vaulttest.File("b.json", []byte("b")))
		} else if r[0].Err == nil {
			t.Errorf("half a file is a point: %+v", r[0])
		}
	}
}

// cut is a stream that breaks off.
type cut struct{ read bool }

func (c *cut) Read(p []byte) (int, error) {
	if !c.read {
		c.read = true
		return copy(p, "ha"), nil
	}
	return 0, errors.New("broken off")
}
