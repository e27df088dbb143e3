package agent

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"kvart/app"
)

var _ app.Exporter = (*fakeShop)(nil)

func (f *fakeShop) Exports() []string { return []string{"texts", "endless", "broken"} }

func (f *fakeShop) Export(ctx context.Context, from fs.FS, what string, w io.Writer) error {
	b, err := fs.ReadFile(from, "text")
	if err != nil {
		return err
	}
	if _, err := w.Write(append([]byte("Text\n"), b...)); err != nil {
		return err
	}
	switch what {
	case "broken":
		return errors.New("storage went away")
	case "endless":
		for err == nil {
			_, err = w.Write(b)
		}
		<-ctx.Done()
		return err
	}
	return nil
}

func TestExport(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	old := s.backup().Runs[0].Point
	s.shop.set("kassan", "k2")
	s.backup()
	for id, want := range map[app.PointID]string{"": "Text\nk2", old: "Text\nk1"} {
		f, err := s.Export(t.Context(), app.ExportRequest{Source: "Kassan", Point: id, What: "texts"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		if err != nil || string(got) != want || f.Close() != nil {
			t.Errorf("point %q: %q, %v", id, got, err)
		}
	}
	_, err := s.Export(t.Context(), app.ExportRequest{Source: "Kassan", What: "orders"})
	if known := app.AsError(err); known == nil || known.Code != app.CodeUsage || !strings.Contains(known.Args["choices"], "texts") {
		t.Errorf("what there is not: %v", err)
	}
	if _, err := s.Export(t.Context(), app.ExportRequest{Source: "Kassan", Point: "nope", What: "texts"}); app.CodeOf(err) != app.CodePointUnknown {
		t.Errorf("a point there is not: %v", err)
	}
}

// A table that fails in the middle is no table, and one that nobody reads on
// does not go on being written.
func TestExport_cutOff(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	f, err := s.Export(t.Context(), app.ExportRequest{Source: "Kassan", What: "broken"})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err == nil || f.Close() != nil {
		t.Errorf("a broken table reads as whole: %q", b)
	}
	if f, err = s.Export(t.Context(), app.ExportRequest{Source: "Kassan", What: "endless"}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil { // waits for the writer's end
		t.Error(err)
	}
}
