package storage

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// Probe proves a location: it writes, reads, lists and deletes an object of its
// own.
func Probe(ctx context.Context, s app.StorageSpec) (app.StorageReport, error) {
	made, err := makeProbeFolder(s)
	if err != nil {
		return app.StorageReport{}, Translate("probe", err)
	}
	report, err := probe(ctx, s)
	if made != "" {
		err = errors.Join(err, os.Remove(made))
	}
	if err != nil {
		return app.StorageReport{}, Translate("probe", err)
	}
	return report, nil
}

// makeProbeFolder makes the last folder of a path that Create would make, and
// returns it for removing.
func makeProbeFolder(s app.StorageSpec) (string, error) {
	if s.Kind != folderSpec().Kind || s.Settings["path"] == "" {
		return "", nil
	}
	root, err := filepath.Abs(s.Settings["path"])
	if err != nil {
		return "", fmt.Errorf("resolve folder: %w", err)
	}
	if _, err := os.Stat(root); !errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err := needFolder(root, true); err != nil {
		return "", err
	}
	return root, nil
}

func probe(ctx context.Context, s app.StorageSpec) (app.StorageReport, error) {
	loc, err := Open(ctx, s, false)
	if err != nil {
		return app.StorageReport{}, err
	}
	report, err := probeLocation(ctx, loc)
	if err = errors.Join(err, loc.Close(ctx)); err != nil {
		return app.StorageReport{}, err
	}
	return report, nil
}

func probeLocation(ctx context.Context, loc *Location) (app.StorageReport, error) {
	report := app.StorageReport{OffSite: loc.OffSite, Free: loc.Free(ctx)}
	var err error
	if report.State, err = loc.Survey(ctx); err != nil || !loc.AsOf.IsZero() {
		return report, err
	}
	if loc.Root != "" {
		err = probeFolder(loc.Root, &report)
	} else {
		err = probeBlobs(ctx, loc.Base, &report)
	}
	if err == nil {
		err = probeLock(ctx, loc, &report)
	}
	warn(&report)
	return report, err
}

// probeLock finds out whether the place can lock, and if it is to, whether its
// lock holds.
func probeLock(ctx context.Context, loc *Location, report *app.StorageReport) error {
	if loc.Locks != nil {
		can, err := loc.Locks(ctx)
		// Whether it could matters only to who asks for it; a key that may not
		// even see is fine otherwise.
		if err != nil && (loc.Lock.Mode != app.LockNone || app.CodeOf(err) != app.CodeStorageRight) {
			return err
		}
		report.CanLock = can && err == nil
	}
	if loc.Lock.Mode == app.LockNone {
		report.Warnings = append(report.Warnings, app.Errorf(app.CodeLockNone, "probe", "nothing is to be locked").With("where", loc.Where))
		return nil
	}
	if !report.CanLock || loc.ProveLock == nil {
		return app.Errorf(app.CodeLockBucket, "probe", "%s can't lock", loc.Where).With("where", loc.Where)
	}
	proof, err := loc.ProveLock(ctx, loc.Lock)
	if err != nil {
		return err
	}
	switch proof.State {
	case app.LockOpen:
		return app.Errorf(app.CodeLockOpen, "probe", "%s deleted a locked object", loc.Where).With("where", loc.Where)
	case app.LockLifted:
		report.Warnings = append(report.Warnings, app.Errorf(app.CodeLockLifted, "probe", "the key may lift the lock").With("where", loc.Where))
	}
	return nil
}

const (
	// skewWorthTelling is where a difference of clocks is no accident any more;
	// beyond maxSkew Kopia's maintenance refuses to work.
	skewWorthTelling = 2 * time.Minute
	maxSkew          = 5 * time.Minute

	littleRoom = 5e9 // bytes
)

// warn adds what the owner should know of a storage that is usable.
func warn(r *app.StorageReport) {
	if d := r.ClockSkew.Abs(); d >= skewWorthTelling && d <= maxSkew {
		r.Warnings = append(r.Warnings, app.Errorf(app.CodeStorageSkew, "probe", "its clock is %s ahead", r.ClockSkew).With("skew", d.String()))
	}
	if r.Free >= 0 && r.Free < littleRoom {
		r.Warnings = append(r.Warnings, app.Errorf(app.CodeStorageLittle, "probe", "%d bytes are left", r.Free).With("free", roughly(r.Free)))
	}
}

// roughly writes a number of bytes for a warning.
func roughly(n int64) string {
	if n < 1e9 {
		return strconv.FormatInt(n/1e6, 10) + " MB"
	}
	return strconv.FormatFloat(float64(n)/1e9, 'f', 1, 64) + " GB"
}

func probeName() string { return probePrefix + strings.ToLower(rand.Text()) }

// probeFolder goes round Kopia's provider, which would leave a file behind.
func probeFolder(root string, report *app.StorageReport) (err error) {
	file := filepath.Join(root, probeName())
	want := []byte(file)
	start := time.Now()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write probe: %w", err)
	}
	defer func() {
		if gone := os.Remove(file); gone != nil {
			err = errors.Join(err, fmt.Errorf("delete probe: %w", gone))
		}
	}()
	_, err = f.Write(want)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write probe: %w", err)
	}
	report.RoundTrip = time.Since(start)
	fi, err := os.Stat(file)
	if err != nil {
		return fmt.Errorf("list probe: %w", err)
	}
	report.ClockSkew = skew(fi.ModTime(), start, time.Now())
	got, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read probe: %w", err)
	}
	if !bytes.Equal(got, want) {
		return app.Errorf(app.CodeReadBack, "read probe", "the storage returns other bytes than were written")
	}
	return nil
}

func probeBlobs(ctx context.Context, st blob.Storage, report *app.StorageReport) (err error) {
	id := blob.ID(probeName())
	start := time.Now()
	if err := st.PutBlob(ctx, id, Bytes(id), blob.PutOptions{}); err != nil {
		return fmt.Errorf("write probe: %w", err)
	}
	report.RoundTrip = time.Since(start)
	after := time.Now()
	defer func() {
		if gone := st.DeleteBlob(context.WithoutCancel(ctx), id); gone != nil {
			err = errors.Join(err, fmt.Errorf("delete probe: %w", gone))
		}
	}()
	listed := false
	err = st.ListBlobs(ctx, id, func(m blob.Metadata) error {
		listed = true
		report.ClockSkew = skew(m.Timestamp, start, after)
		return nil
	})
	if err != nil {
		return fmt.Errorf("list probe: %w", err)
	}
	if !listed {
		return app.Errorf(app.CodeReadBack, "list probe", "the storage does not list what was written")
	}
	got, err := ReadBlob(ctx, st, id)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(id)) {
		return app.Errorf(app.CodeReadBack, "read probe", "the storage returns other bytes than were written")
	}
	return nil
}

// skew returns how far the storage's clock is ahead. Storages round to seconds,
// so less than two is none.
func skew(stamp, before, after time.Time) time.Duration {
	d := stamp.Sub(before.Add(after.Sub(before) / 2))
	if d.Abs() < 2*time.Second {
		return 0
	}
	return d.Round(time.Second)
}
