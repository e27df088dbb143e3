package agent

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"kvart/app"
)

// disk is how much is free of a disk of 100 GB.
type disk struct{ free atomic.Int64 }

func (d *disk) room(string) (free, total int64) { return d.free.Load(), 100 << 30 }

// TestCatalogue_givesWay: looking into backups filled the disk that backups
// need; now it leaves a part of it free, whoever fills it.
func TestCatalogue_givesWay(t *testing.T) {
	t.Parallel()
	s, shop := newShelfTest(t)
	d := &disk{}
	d.free.Store(50 << 30)
	s.Agent.room = d.room
	for range 3 {
		s.manyFiles("goods/a")
	}
	ids := s.pointIDs()
	look := func(id app.PointID) error {
		_, err := s.Shelves(t.Context(), app.PathRequest{Source: "Kassan", Point: id})
		return err
	}
	refused := func(what string, err error) {
		t.Helper()
		if e := app.AsError(err); e == nil || e.Code != app.CodeBrowseRoom || e.Args["path"] != s.dir || e.Args["free"] == "" {
			t.Errorf("%s: %v", what, err)
		}
		if left := s.unpacked(); len(left) != 0 {
			t.Errorf("%s: still unpacked %v", what, left)
		}
	}
	// short before: what lies there goes first, and that may do
	if err := look(ids[0]); err != nil {
		t.Fatal(err)
	}
	d.free.Store(keepFree / 2)
	_, before, _ := shop.counts()
	s.Agent.room = func(path string) (int64, int64) {
		if _, closed, _ := shop.counts(); closed > before {
			return 50 << 30, 100 << 30 // that was what filled it
		}
		return d.room(path)
	}
	if err := look(ids[1]); err != nil {
		t.Errorf("although what lay there went: %v", err)
	}
	// short, whatever goes
	s.Agent.room = d.room
	refused("short before", look(ids[2]))
	if st := s.status(); st.Vault == nil {
		t.Error("no status")
	}

	// it gets short while one is unpacked
	d.free.Store(50 << 30)
	shop.hold = func(ctx context.Context) error {
		d.free.Store(keepFree / 2)
		<-ctx.Done()
		return app.Errorf(app.CodeCanceled, "fake", "%w", ctx.Err())
	}
	refused("short meanwhile", look(ids[0]))
	// the disk was full faster than anybody looked
	d.free.Store(50 << 30)
	shop.hold = func(context.Context) error {
		return app.Errorf(app.CodeTempFull, "fake", "%w", os.NewSyscallError("write", syscall.ENOSPC))
	}
	refused("full at once", look(ids[0]))
	// other failures are told as what they are
	shop.hold = func(context.Context) error { return app.Errorf(app.CodeItemUnreadable, "fake", "damaged") }
	if err := look(ids[0]); app.CodeOf(err) != app.CodeItemUnreadable {
		t.Errorf("damaged: %v", err)
	}

	// what is open and unused goes when room gets short, without being asked
	shop.hold = nil
	if err := look(ids[0]); err != nil {
		t.Fatal(err)
	}
	d.free.Store(keepFree / 2)
	if err := s.expireCatalogues(); err != nil || len(s.unpacked()) != 0 {
		t.Errorf("%v, %v", s.unpacked(), err)
	}
	// a disk that does not tell hinders nobody
	s.Agent.room = func(string) (int64, int64) { return -1, -1 }
	if err := look(ids[0]); err != nil {
		t.Error(err)
	}
}

func TestDiskRoom(t *testing.T) {
	t.Parallel()
	if free, total := diskRoom(t.TempDir()); free < 0 || total <= 0 || free > total {
		t.Errorf("%d of %d", free, total)
	}
	if free, total := diskRoom("/no/such\x00place"); free != -1 || total != -1 {
		t.Errorf("nowhere: %d of %d", free, total)
	}
}
