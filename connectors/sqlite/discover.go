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
	"kvart/connectors/internal/nearby"
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
	if d.Type().IsRegular() && slices.Contains(extensions[:], strings.ToLower(filepath.Ext(path))) {
		s.look(ctx, path)
	}
	return nil
}

// extensions are what the names of database files end in: by custom, and those
// of programs that have one of their own (Manager, GnuCash).
var extensions = [...]string{".db", ".sqlite", ".sqlite3", ".db3", ".s3db", ".sqlitedb", ".sdb", ".manager", ".gnucash"}

// shopPrograms are the folders of till, stock and bookkeeping programs that
// keep a SQLite file.
var shopPrograms = [...]string{"aronium", "manager.io", "gnucash", "kassa", "kassasystem", "till", "pos", "butik"}

// ofShopProgram reports whether a path is of a till or stock program.
func ofShopProgram(path string) bool {
	low := strings.ToLower(path)
	for dir := filepath.Dir(low); ; dir = filepath.Dir(dir) {
		if slices.Contains(shopPrograms[:], filepath.Base(dir)) {
			return true
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return slices.Contains([]string{".manager", ".gnucash"}, filepath.Ext(low))
}

// look adds path when it is a database with a table in it.
func (s *search) look(ctx context.Context, path string) {
	fi, err := os.Stat(path)
	if err != nil || fi.Size() == 0 || slices.ContainsFunc(s.seen, func(o fs.FileInfo) bool { return os.SameFile(o, fi) }) {
		return
	}
	s.seen = append(s.seen, fi)
	st, err := s.c.state(path)
	found := app.Found{
		Kind: Kind, Name: strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)),
		Settings: map[string]string{fieldPath: path}, Bytes: st.size, Changed: st.changed(),
	}
	if st.sealed && st.wal() {
		// With a log beside it, it is a database in use and no other secret.
		found.Settings[fieldEncrypted] = "true"
		s.found = append(s.found, found)
	}
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
	found.Likely = nearby.ShopLike(tables) || ofShopProgram(path)
	s.found = append(s.found, found)
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
