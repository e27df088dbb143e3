package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// Probe implements [app.VaultProvider].
func (p *Provider) Probe(ctx context.Context, s app.StorageSpec) (app.StorageReport, error) {
	ctx = withLog(ctx, p.log)
	made, err := makeProbeFolder(s)
	if err != nil {
		return app.StorageReport{}, translate("probe", err)
	}
	report, err := probe(ctx, s)
	if made != "" {
		err = errors.Join(err, os.Remove(made))
	}
	if err != nil {
		return app.StorageReport{}, translate("probe", err)
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
	loc, err := openLocation(ctx, s, false)
	if err != nil {
		return app.StorageReport{}, err
	}
	report := app.StorageReport{OffSite: loc.offSite, Free: loc.free()}
	report.State, err = loc.survey(ctx)
	if err == nil {
		if loc.root != "" {
			err = probeFolder(loc.root, &report)
		} else {
			err = probeBlobs(ctx, loc.base, &report)
		}
	}
	if err = errors.Join(err, loc.close(ctx)); err != nil {
		return app.StorageReport{}, err
	}
	return report, nil
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
	if err := st.PutBlob(ctx, id, inputBytes(id), blob.PutOptions{}); err != nil {
		return fmt.Errorf("write probe: %w", err)
	}
	report.RoundTrip = time.Since(start)
	after := time.Now()
	defer func() {
		if gone := st.DeleteBlob(context.WithoutCancel(ctx), id); gone != nil {
			err = errors.Join(err, fmt.Errorf("delete probe: %w", gone))
		}
	}()
	got, err := readBlob(ctx, st, id)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, []byte(id)) {
		return app.Errorf(app.CodeReadBack, "read probe", "the storage returns other bytes than were written")
	}
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
