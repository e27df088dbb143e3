package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// Limits of a discovery.
const (
	discoverTime  = 2 * time.Second
	discoverDepth = 5
	discoverMost  = 50
)

// Discover implements [app.Discoverer]: it looks for database files where
// programs of a shop keep them. It reads names, first pages and table names.
func (c *Connector) Discover(ctx context.Context) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	roots := c.Roots
	if len(roots) == 0 {
		roots = usualRoots()
	}
	s := &search{c: c}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			return s.visit(ctx, root, path, d, err)
		})
		if errors.Is(err, errEnough) {
			break
		}
		if err != nil && ctx.Err() == nil {
			return s.found, err
		}
	}
	return s.found, nil
}

var errEnough = errors.New("found enough")

type search struct {
	c     *Connector
	seen  []fs.FileInfo
	found []app.Found
}

// visit looks at one file or folder. What can't be read is passed by.
func (s *search) visit(ctx context.Context, root, path string, d fs.DirEntry, err error) error {
	if ctx.Err() != nil || len(s.found) >= discoverMost {
		return errEnough
	}
	if err != nil {
		if d == nil || d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if d.IsDir() {
		if path != root && (skipped(d.Name()) || depth(root, path) > discoverDepth) {
			return fs.SkipDir
		}
		return nil
	}
	if d.Type().IsRegular() && slices.Contains([]string{".db", ".sqlite", ".sqlite3", ".db3"}, strings.ToLower(filepath.Ext(path))) {
		s.look(ctx, path)
	}
	return nil
}

// look adds path when it is a database with a table in it.
func (s *search) look(ctx context.Context, path string) {
	fi, err := os.Stat(path)
	if err != nil || fi.Size() == 0 || slices.ContainsFunc(s.seen, func(o fs.FileInfo) bool { return os.SameFile(o, fi) }) {
		return
	}
	s.seen = append(s.seen, fi)
	st, err := s.c.state(path)
	if err != nil {
		return
	}
	release, err := s.c.files.Hold(path)
	if err != nil {
		return
	}
	defer func() { s.c.warn("Could not close descriptors", release()) }()
	// No locks and no files made, even beside a till's: what is read may be
	// torn, and is used for a suggestion only.
	db, err := open(ctx, path, immutable)
	if err != nil {
		return
	}
	defer func() { s.c.warn("Could not close database", db.Close()) }()
	tables, err := db.tables(ctx, "main")
	if err == nil && len(tables) == 0 {
		return
	}
	s.found = append(s.found, app.Found{
		Kind: Kind, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		Settings: map[string]string{fieldPath: path},
		Bytes:    st.size, Changed: st.changed(), Likely: likely(tables),
	})
}

// shopWords are parts of table names that tell a shop's database, in the
// languages tills here are written in.
var shopWords = [...]string{
	"sale", "order", "product", "customer", "invoice", "receipt", "payment", "stock", "inventory", "article", "basket", "cart", "voucher",
	"kvitto", "försälj", "forsalj", "artikel", "kund", "faktura", "lager", "betalning", "vara", "kassa", "bestallning", "beställning", "produkt",
}

// likely reports whether at least two tables sound like a shop's.
func likely(tables []string) bool {
	n := 0
	for _, table := range tables {
		table = strings.ToLower(table)
		if slices.ContainsFunc(shopWords[:], func(w string) bool { return strings.Contains(table, w) }) {
			n++
		}
	}
	return n >= 2
}

func depth(root, path string) int {
	return strings.Count(strings.TrimPrefix(path, root), string(filepath.Separator))
}

// skipped reports whether a folder holds other programs' innards: browsers,
// caches, mail, development, and Kvart's own state.
func skipped(name string) bool {
	low := strings.ToLower(name)
	if strings.Contains(low, "cache") || strings.HasPrefix(low, tempPrefix) {
		return true
	}
	return slices.Contains([]string{
		"kvart", strings.ToLower(app.ID), ".git", "node_modules", "temp", "tmp", "trash", ".trash",
		"mozilla", ".mozilla", "firefox", "chromium", "google", "google-chrome", "brave-browser", "bravesoftware", "microsoft", "edge", "opera", "vivaldi",
		"thunderbird", "evolution", "akonadi", "tracker", "tracker3", "gvfs-metadata", "baloo", "zeitgeist", "snapd", "flatpak", "packagekit", "apt", "dpkg", "docker", "containerd",
		"spotify", "slack", "discord", "teams", "packages", "windowsapps", "comms", "connecteddevicesplatform",
		"addressbook", "callhistorydb", "knowledge", "com.apple.tcc", "mobilesync", "photos library.photoslibrary",
	}, low)
}

// usualRoots returns the folders where programs and people keep data.
func usualRoots() []string {
	var roots []string
	add := func(paths ...string) {
		for _, p := range paths {
			if fi, err := os.Stat(p); err == nil && fi.IsDir() && !slices.Contains(roots, p) {
				roots = append(roots, p)
			}
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		for _, name := range []string{"Documents", "Dokument", "Desktop", "Skrivbord", "OneDrive/Documents", "OneDrive/Dokument"} {
			add(filepath.Join(home, filepath.FromSlash(name)))
		}
		switch runtime.GOOS {
		case "windows":
			add(filepath.Join(home, "AppData", "Local"), filepath.Join(home, "AppData", "Roaming"))
		case "darwin":
			add(filepath.Join(home, "Library", "Application Support"))
		default:
			add(filepath.Join(home, ".local", "share"))
		}
	}
	switch runtime.GOOS {
	case "windows":
		add(os.Getenv("ProgramData"), os.Getenv("PUBLIC"))
	case "darwin":
		add("/Library/Application Support", "/Users/Shared")
	default:
		add("/var/lib", "/srv", "/opt")
	}
	return roots
}
