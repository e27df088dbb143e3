package folder

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/internal/rawfile"
)

func newConnector() *Connector {
	return New(slog.New(slog.NewTextHandler(io.Discard, nil)), &rawfile.Keeper{})
}

var past = time.Date(2024, 3, 9, 10, 11, 12, 130_456_789, time.UTC)

// put writes a file with a time of its own.
func put(t *testing.T, at, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(at, past, past); err != nil {
		t.Fatal(err)
	}
}

func folderOf(path string, exclude ...string) app.Source {
	return app.Source{ID: "bilder", Name: "Bilder", Kind: Kind, Settings: map[string]string{
		fieldPath: path, fieldExclude: strings.Join(exclude, "\n"),
	}}
}

const (
	composed   = "r\u00e4ksm\u00f6rg\u00e5s.txt"
	decomposed = "ra\u0308ksmo\u0308rga\u030as.txt"
)

// shopFolder makes a folder with everything that is awkward in it.
func shopFolder(t *testing.T, dir string) app.Source {
	t.Helper()
	root := filepath.Join(dir, "till", "bilder")
	put(t, filepath.Join(root, "a.txt"), "a")
	put(t, filepath.Join(root, "empty"), "")
	put(t, filepath.Join(root, "under", "djupt", "b.txt"), strings.Repeat("bild", 50_000))
	put(t, filepath.Join(root, composed), "NFC")
	put(t, filepath.Join(root, "mapp", strings.Repeat("n", 251)+".txt"), "long name")
	if err := os.Chmod(filepath.Join(root, "a.txt"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "tom mapp"), 0o750); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"länk": "under/djupt/b.txt", "bruten": "/finns/inte", "ut": "../.."} {
		if err := os.Symlink(to, filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	return folderOf(root)
}

func TestConnector(t *testing.T) {
	t.Parallel()
	connectortest.Run(t, connectortest.Harness{
		New:    func(*testing.T) app.Connector { return newConnector() },
		Source: shopFolder,
		Path:   func(s app.Source) string { return s.Settings[fieldPath] },
		Change: func(t *testing.T, s app.Source) {
			at := filepath.Join(s.Settings[fieldPath], "a.txt")
			old, err := os.ReadFile(at)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, append(old, 'x'), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		Content: func(t *testing.T, path string) string {
			// But for the folders' own line: a point has no mode for the top.
			_, below, _ := strings.Cut(connectortest.Tree(t, path), "\n")
			return below
		},
	})
}

func captured(t *testing.T, s app.Source, since app.Marker) *app.Capture {
	t.Helper()
	c, err := newConnector().Capture(t.Context(), app.Access{Source: s}, since)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// paths returns what a capture yields.
func paths(t *testing.T, c *app.Capture) (out []string) {
	t.Helper()
	for item, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, item.Path)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestConnector_Capture_order(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	root := s.Settings[fieldPath]
	put(t, filepath.Join(root, decomposed), "NFD")
	got := paths(t, captured(t, s, ""))
	want := []string{
		"a.txt", "bruten", "empty", "länk", "mapp", "mapp/" + strings.Repeat("n", 251) + ".txt", decomposed, composed,
		"tom mapp", "under", "under/djupt", "under/djupt/b.txt", "ut",
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestConnector_Capture_excludes(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, p := range []string{"a.tmp", "b.txt", "sub/c.tmp", "cache/x", "sub/cache/y", "sub/cachet", "top/only/z", "sub/top/only/q", "drafts/a.pdf", "drafts/b.txt", newPrefix + "1234"} {
		put(t, filepath.Join(root, p), p)
	}
	got := paths(t, captured(t, folderOf(root, "*.tmp", "", "# remark", "cache/", "/top/only", "drafts/*.pdf"), ""))
	want := "[b.txt drafts drafts/b.txt sub sub/cachet sub/top sub/top/only sub/top/only/q top]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	_, err := newConnector().Capture(t.Context(), app.Access{Source: folderOf(root, "[a")}, "")
	if app.CodeOf(err) != app.CodeUsage {
		t.Errorf("bad pattern: %v", err)
	}
}

func TestConnector_Capture_emptied(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	c := captured(t, s, "")
	connectortest.Collect(t, c)
	if err := os.RemoveAll(s.Settings[fieldPath]); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.Settings[fieldPath], 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := newConnector().Capture(t.Context(), app.Access{Source: s}, c.Next)
	if app.CodeOf(err) != app.CodeSourceEmpty {
		t.Errorf("got %v", err)
	}
	// A folder that never held anything is captured as it is.
	if got := paths(t, captured(t, s, "")); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestConnector_Capture_changing(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, name := range []string{"grows", "vanishes", "stays"} {
		put(t, filepath.Join(root, name), strings.Repeat(name, 100))
	}
	c := captured(t, folderOf(root), "")
	defer c.Close()
	items := map[string]app.Item{}
	for item, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		items[item.Path] = item
	}
	if err := os.Remove(filepath.Join(root, "vanishes")); err != nil {
		t.Fatal(err)
	}
	if _, err := items["vanishes"].Open(t.Context()); app.CodeOf(err) != app.CodeItemVanished {
		t.Errorf("vanished: %v", err)
	}
	r, err := items["grows"].Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "grows"), "another text")
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); app.CodeOf(err) != app.CodeItemChanged {
		t.Errorf("changed: %v", err)
	}
	if got, want := c.Stats(), (app.Stats{"files": 2, "bytes": n + 500}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("stats %v, want %v", got, want)
	}
}

func TestConnector_Restore_keepsNewer(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	root := s.Settings[fieldPath]
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	newer := filepath.Join(root, "nyare.txt")
	put(t, newer, "made since")
	if err := os.Remove(filepath.Join(root, "under", "djupt", "b.txt")); err != nil {
		t.Fatal(err)
	}
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point)}
	plan, err := newConnector().Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Create != 1 || plan.Overwrite != 0 || plan.Remove != 0 || plan.Files != 5 {
		t.Errorf("plan %+v", plan)
	}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{newer, filepath.Join(root, "under", "djupt", "b.txt")} {
		if _, err := os.Stat(at); err != nil {
			t.Error(err)
		}
	}
}

func TestConnector_Restore_paths(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	to := filepath.Join(t.TempDir(), "ut")
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point), Paths: []string{"under/djupt", "a.txt"}, Target: app.Target{Dir: to}}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got := paths(t, captured(t, folderOf(to), "")); fmt.Sprint(got) != "[a.txt under under/djupt under/djupt/b.txt]" {
		t.Errorf("got %v", got)
	}
	for path, code := range map[string]app.Code{"no/such": app.CodePathUnknown, "../up": app.CodeUsage} {
		r.Paths = []string{path}
		if _, err := newConnector().Plan(t.Context(), r); app.CodeOf(err) != code {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestConnector_Restore_neverThroughLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shopFolder(t, dir)
	root := s.Settings[fieldPath]
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	outside := filepath.Join(dir, "outside")
	put(t, filepath.Join(outside, "djupt", "b.txt"), "somebody else's")
	// A folder of the point is a link out now, a file a folder, a link a file.
	for _, name := range []string{"under", "a.txt", "länk"} {
		if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(outside, filepath.Join(root, "under")); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "a.txt", "inside"), "in the way")
	put(t, filepath.Join(root, "länk"), "a file now")
	safety, _ := connectortest.Collect(t, present(t, s))
	before := connectortest.Tree(t, root)
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point)}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(outside, "djupt", "b.txt")); err != nil || string(got) != "somebody else's" {
		t.Errorf("outside: %q, %v", got, err)
	}
	if _, got, _ := strings.Cut(connectortest.Tree(t, root), "\n"); !strings.HasSuffix(connectortest.Tree(t, point), got) {
		t.Errorf("got:\n%s", got)
	}
	r.From, r.Raw = os.DirFS(safety), true
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if _, want, _ := strings.Cut(before, "\n"); !strings.HasSuffix(connectortest.Tree(t, root), want) {
		t.Errorf("undone:\n%s\nwant:\n%s", connectortest.Tree(t, root), want)
	}
}

func present(t *testing.T, s app.Source) *app.Capture {
	t.Helper()
	c, err := newConnector().Present(t.Context(), app.Access{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConnector_Restore_afterCrash(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	root := s.Settings[fieldPath]
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	// Right size, right time, nothing in it: what a power cut leaves.
	at := filepath.Join(root, "under", "djupt", "b.txt")
	put(t, at, strings.Repeat("\x00", 200_000))
	put(t, filepath.Join(root, "mapp", newPrefix+"0123456789abcdef"), "half")
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point)}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(at); err != nil || !strings.HasPrefix(string(got), "bild") {
		t.Errorf("%.10q, %v", got, err)
	}
	if left, err := filepath.Glob(filepath.Join(root, "*", newPrefix+"*")); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestConnector_Diff(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	root := s.Settings[fieldPath]
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	put(t, filepath.Join(root, "ny.txt"), "12")
	put(t, filepath.Join(root, "cache", "x"), "left out")
	if err := os.Remove(filepath.Join(root, "empty")); err != nil {
		t.Fatal(err)
	}
	touched := filepath.Join(root, "a.txt") // same size, other content and time
	if err := os.WriteFile(touched, []byte("z"), 0o600); err != nil {
		t.Fatal(err)
	}
	same := filepath.Join(root, composed) // other time only
	if err := os.Chtimes(same, time.Now(), time.Now()); err != nil {
		t.Fatal(err)
	}
	s.Settings[fieldExclude] = "cache/"
	live, err := newConnector().Live(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	changes, err := newConnector().Diff(t.Context(), os.DirFS(point), live, "")
	if err != nil {
		t.Fatal(err)
	}
	want := []app.Change{
		{Path: "a.txt", Kind: app.ChangeChanged, Before: 1, After: 1},
		{Path: "empty", Kind: app.ChangeRemoved},
		{Path: "ny.txt", Kind: app.ChangeAdded, After: 2},
	}
	if fmt.Sprint(changes) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", changes, want)
	}
}

// An undo takes away what the restore had created and nothing that came after.
func TestConnector_Undo_leavesWhatCameAfterTheRestore(t *testing.T) {
	t.Parallel()
	s := shopFolder(t, t.TempDir())
	root := s.Settings[fieldPath]
	point, _ := connectortest.Collect(t, captured(t, s, ""))
	if err := os.Remove(filepath.Join(root, "a.txt")); err != nil {
		t.Fatal(err)
	}
	safety, _ := connectortest.Collect(t, present(t, s))
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point)}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(root, "ny.txt"), "made after the restore")
	r.From, r.Raw, r.Remove = os.DirFS(safety), true, []string{"a.txt"}
	plan, err := newConnector().Plan(t.Context(), r)
	if err != nil || plan.Remove != 1 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(root, "a.txt")); !os.IsNotExist(err) {
		t.Errorf("what the restore created: %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(root, "ny.txt")); err != nil || string(b) != "made after the restore" {
		t.Errorf("what came after: %q, %v", b, err)
	}
}
