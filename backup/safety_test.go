package backup_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// Before a restore over a line, the present state is saved without bringing
// home again what the newest backup holds. What is near is read.
func TestVault_SafetyPointOfAFarSource(t *testing.T) {
	t.Parallel()
	f, _ := s3Fixture(t)
	v := f.Create(t)
	var opened atomic.Int32
	counted := func(name, body string) app.Item {
		it := vaulttest.File(name, []byte(body))
		open := it.Open
		it.Open = func(ctx context.Context) (io.ReadCloser, error) {
			opened.Add(1)
			return open(ctx)
		}
		return it
	}
	vaulttest.Save(t, v, vaulttest.Request("s", counted("same.jpg", "as it was"), counted("gone.php", "gone")))
	opened.Store(0)
	now := []app.Item{counted("same.jpg", "as it was"), counted("new.php", "an intruder's")}
	req := vaulttest.Request("s", now...)
	req.Kind, req.Far = app.PointSafety, true
	res := vaulttest.Save(t, v, req)
	if n := opened.Load(); n != 1 {
		t.Errorf("%d files were read, want the new one", n)
	}
	vaulttest.Compare(t, v, res.Point.ID, now...)

	opened.Store(0)
	near := vaulttest.Request("t", counted("same.jpg", "as it was"))
	vaulttest.Save(t, v, near)
	near.Kind = app.PointSafety
	vaulttest.Save(t, v, near)
	if n := opened.Load(); n != 2 {
		t.Errorf("a near file was read %d times, want once for the backup and once for the safety point", n)
	}
}
