package backup_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"golang.org/x/sync/errgroup"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// The link of a small shop, as measured for the design.
const (
	linkRoundTrip = 30 * time.Millisecond
	linkBytes     = 25e6 // a second
)

// BenchmarkRestore_overLink brings a till of 1 GB and 100,000 records back over
// the link, on a computer that has nothing yet, and compares with fetching the
// same packs with a plain S3 client over the same link: ×alone is what all
// else costs. It needs KVART_TEST_S3.
func BenchmarkRestore_overLink(b *testing.B) {
	for _, tt := range []struct {
		name  string
		items func() []app.Item
	}{
		{"till of 1 GB", func() []app.Item { return []app.Item{vaulttest.Paged("kassa.db", vaulttest.Noise(1<<30, 1))} }},
		{"100,000 records", records},
	} {
		b.Run(tt.name, func(b *testing.B) {
			spec := realBucket(b)
			f := &vaulttest.Fixture{Provider: provider(nil), Spec: spec, StateDir: b.TempDir()}
			v := createBench(b, f)
			if _, err := v.Save(b.Context(), []app.SaveRequest{vaulttest.Request("s", tt.items()...)}, nil); err != nil {
				b.Fatal(err)
			}
			if err := v.Close(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				alone := fetchAlone(b, spec)
				took, link := restoreOverLink(b, f)
				b.ReportMetric(took.Seconds(), "s/restore")
				b.ReportMetric(took.Seconds()/alone.Seconds(), "×alone")
				b.ReportMetric(float64(link.Requests()), "requests")
				b.ReportMetric(float64(link.Down())/1e6, "MB-down")
			}
		})
	}
}

// records come in the order in which a connector yields them: by path.
func records() []app.Item {
	var items []app.Item
	for i := range 100_000 {
		items = append(items, vaulttest.File(fmt.Sprintf("order/%d/%d/%d.json", i/2000, i/50, i), vaulttest.Noise(2000, uint64(i))))
	}
	slices.SortFunc(items, func(a, b app.Item) int { return strings.Compare(a.Path, b.Path) })
	return items
}

// restoreOverLink opens the vault on an empty computer and reads everything.
func restoreOverLink(b *testing.B, f *vaulttest.Fixture) (time.Duration, *s3test.Link) {
	b.Helper()
	link := s3test.NewLink(b, f.Spec.Settings["endpoint"], linkRoundTrip, linkBytes)
	far := *f
	far.Spec = overLink(f.Spec, link)
	far.StateDir = b.TempDir()
	start := time.Now()
	v, err := far.Provider.Open(b.Context(), far.Setup())
	if err != nil {
		b.Fatal(err)
	}
	points, err := v.Points(b.Context(), app.PointFilter{})
	if err != nil || len(points) == 0 {
		b.Fatalf("%d points, %v", len(points), err)
	}
	view, err := v.Open(b.Context(), points[0].ID)
	if err != nil {
		b.Fatal(err)
	}
	if err := view.(app.Prefetcher).Prefetch(b.Context(), nil); err != nil {
		b.Fatal(err)
	}
	err = fs.WalkDir(view, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r, err := view.Open(path)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		return r.Close()
	})
	took := time.Since(start)
	if err != nil {
		b.Fatal(err)
	}
	if err := view.Close(); err != nil {
		b.Fatal(err)
	}
	if err := v.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
	return took, link
}

func overLink(s app.StorageSpec, l *s3test.Link) app.StorageSpec {
	settings := map[string]string{}
	for k, v := range s.Settings {
		settings[k] = v
	}
	settings["endpoint"] = l.Addr
	s.Settings = settings
	return s
}

// fetchAlone fetches all packs of the vault with a plain client.
func fetchAlone(b *testing.B, spec app.StorageSpec) time.Duration {
	b.Helper()
	link := s3test.NewLink(b, spec.Settings["endpoint"], linkRoundTrip, linkBytes)
	c, err := minio.New(link.Addr, &minio.Options{
		Creds:  credentials.NewStaticV4(spec.Settings["access_key"], spec.Secrets["secret_key"].Reveal(), ""),
		Region: "us-east-1",
	})
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	g, ctx := errgroup.WithContext(b.Context())
	g.SetLimit(4)
	bucket := spec.Settings["bucket"]
	for o := range c.ListObjects(ctx, bucket, minio.ListObjectsOptions{Prefix: spec.Settings["prefix"] + "/p", Recursive: true}) {
		if o.Err != nil {
			b.Fatal(o.Err)
		}
		g.Go(func() error {
			r, err := c.GetObject(ctx, bucket, o.Key, minio.GetObjectOptions{})
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				return err
			}
			return r.Close()
		})
	}
	if err := g.Wait(); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// BenchmarkQuarter_overLink is a quarter's backup over the link: a till of
// 100 MB of which one page in a hundred changed.
func BenchmarkQuarter_overLink(b *testing.B) {
	spec := realBucket(b)
	link := s3test.NewLink(b, spec.Settings["endpoint"], linkRoundTrip, linkBytes)
	f := &vaulttest.Fixture{Provider: provider(nil), Spec: overLink(spec, link), StateDir: b.TempDir()}
	v := createBench(b, f)
	data := vaulttest.Noise(100<<20, 1)
	save := func() {
		if _, err := v.Save(b.Context(), []app.SaveRequest{vaulttest.Request("s", vaulttest.Paged("kassa.db", data))}, nil); err != nil {
			b.Fatal(err)
		}
	}
	save()
	requests, up, n := link.Requests(), link.Up(), 0
	for b.Loop() {
		n++
		for page := 0; page < len(data)/4096; page += 100 {
			data[page*4096+n%4096] ^= 1
		}
		save()
	}
	b.ReportMetric(float64(link.Requests()-requests)/float64(n), "requests/op")
	b.ReportMetric(float64(link.Up()-up)/1e6/float64(n), "MB-up/op")
	if err := v.Close(context.WithoutCancel(b.Context())); err != nil {
		b.Fatal(err)
	}
}

func createBench(b *testing.B, f *vaulttest.Fixture) app.Vault {
	b.Helper()
	v, err := f.Provider.Create(b.Context(), f.Setup())
	if err != nil {
		b.Fatal(err)
	}
	return v
}
