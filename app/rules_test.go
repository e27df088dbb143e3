package app_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// sourceFile is one Go file of the project that is not a test.
type sourceFile struct {
	path string // from the repository's root, slash-separated
	pkg  string // its package's path below the module: "app/agent"
	ast  *ast.File
	fset *token.FileSet
}

func project(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	root := ".."
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		files = append(files, sourceFile{rel, rel[:strings.LastIndex(rel, "/")], f, fset})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found only %d files", len(files))
	}
	return files
}

// forTests reports whether a package exists to test others.
func forTests(pkg string) bool {
	last := pkg[strings.LastIndex(pkg, "/")+1:]
	return strings.HasSuffix(last, "test")
}

// below reports whether a package is dir or lies below it.
func below(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

// mayImport says what a package may import of the project and of the libraries
// that belong to one layer.
func mayImport(pkg, imp string) error {
	own, isOwn := strings.CutPrefix(imp, "kvart/")
	switch {
	case strings.HasPrefix(imp, "fyne.io/") && !below(pkg, "ui") && pkg != "cmd/kvart" && pkg != "cmd/kvart-demo":
		return fmt.Errorf("only the window knows Fyne")
	case strings.HasPrefix(imp, "github.com/getlantern/systray") && pkg != "app/tray":
		return fmt.Errorf("only app/tray knows systray")
	case strings.HasPrefix(imp, "github.com/kopia/") && !below(pkg, "backup"):
		return fmt.Errorf("only backup knows Kopia")
	case pkg == "app" && (isOwn || strings.Contains(strings.Split(imp, "/")[0], ".")):
		return fmt.Errorf("app imports only the standard library")
	case !isOwn || below(pkg, "cmd"):
		return nil
	}
	for _, layer := range []struct {
		dir     string
		allowed []string
	}{
		{"ui", []string{"app", "assets", "ui/"}},
		{"backup", []string{"app", "backup/"}},
		{"connectors/all", []string{"app", "connectors", "connectors/"}},
		{"connectors", []string{"app", "connectors", "connectors/internal/", "connectors/rest"}},
		{"assets", []string{"app", "docs/guide"}},
		{"app/agent", []string{"app", "app/agent/"}},
		{"app", []string{"app", "assets"}},
	} {
		if !below(pkg, layer.dir) {
			continue
		}
		for _, a := range layer.allowed {
			if own == a || strings.HasSuffix(a, "/") && strings.HasPrefix(own, a) {
				return nil
			}
		}
		return fmt.Errorf("%s may import %s", layer.dir, strings.Join(layer.allowed, ", "))
	}
	return nil
}

func TestImportDirections(t *testing.T) {
	t.Parallel()
	for _, f := range project(t) {
		for _, i := range f.ast.Imports {
			imp, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if imp == "kvart/"+f.pkg {
				continue
			}
			if err := mayImport(f.pkg, imp); err != nil {
				t.Errorf("%s imports %s: %v", f.path, imp, err)
			}
		}
	}
}

func TestImportDirections_catchesWrongOnes(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][2]string{
		{"app", "kvart/app/ipc"},
		{"app", "golang.org/x/sync/errgroup"},
		{"ui/help", "kvart/docs/guide"},
		{"ui/home", "kvart/backup"},
		{"ui", "kvart/app/agent"},
		{"backup", "kvart/connectors"},
		{"connectors/sqlite", "kvart/connectors/folder"},
		{"connectors/sqlite", "kvart/backup"},
		{"connectors/rest", "kvart/connectors/shopify"},
		{"app/tray", "kvart/app/ipc"},
		{"app/agent", "kvart/app/ipc"},
		{"app/agent", "github.com/kopia/kopia/repo"},
		{"cmd/kvart-agent", "fyne.io/fyne/v2"},
		{"cmd/kvart", "github.com/getlantern/systray"},
	} {
		if mayImport(wrong[0], wrong[1]) == nil {
			t.Errorf("%s may import %s", wrong[0], wrong[1])
		}
	}
}

func TestPackagesSayWhatTheyOwn(t *testing.T) {
	t.Parallel()
	docs := map[string]int{}
	for _, f := range project(t) {
		if _, ok := docs[f.pkg]; !ok {
			docs[f.pkg] = 0
		}
		if f.ast.Doc != nil {
			docs[f.pkg]++
		}
	}
	for pkg, n := range docs {
		if n != 1 {
			t.Errorf("%s has %d package comments, want 1", pkg, n)
		}
	}
}

// TestHouseRules holds what a linter's configuration can't say as exactly.
func TestHouseRules(t *testing.T) {
	t.Parallel()
	for _, f := range project(t) {
		at := func(n ast.Node) string { return f.path + ":" + strconv.Itoa(f.fset.Position(n.Pos()).Line) }
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if !below(f.pkg, "app/agent") && f.pkg != "app/ipc" && !below(f.pkg, "cmd") && f.path != "ui/async.go" && !forTests(f.pkg) && !goroutineOwner(f.path) {
					t.Errorf("%s: go statement without an owner", at(n))
				}
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s: init", at(n))
				}
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				if !ok {
					return true
				}
				switch pkg.Name + "." + n.Sel.Name {
				case "context.Background", "context.TODO":
					if !below(f.pkg, "cmd") && !below(f.pkg, "packaging/tools") && !forTests(f.pkg) {
						t.Errorf("%s: %s.%s outside cmd", at(n), pkg.Name, n.Sel.Name)
					}
				case "fyne.Do":
					if f.path != "ui/async.go" {
						t.Errorf("%s: fyne.Do outside ui/async.go", at(n))
					}
				case "fyne.DoAndWait":
					t.Errorf("%s: fyne.DoAndWait hangs while a menu is open", at(n))
				case "os.Exit", "log.Fatal", "log.Fatalf":
					if !strings.HasSuffix(f.path, "/main.go") {
						t.Errorf("%s: %s.%s outside main", at(n), pkg.Name, n.Sel.Name)
					}
				}
			}
			return true
		})
	}
}

// goroutineOwner lists the files outside the agent, the socket and the window
// that may start goroutines; each waits for them itself.
func goroutineOwner(path string) bool {
	switch path {
	case "app/tray/tray_getlantern.go", // one that receives every click
		"app/notify/notify_other.go",      // a notification centre that hangs must not hang the guard
		"app/secrets/keychain.go",         // a keychain that hangs must not hang the guard
		"backup/storage/rclone_server.go", // one that waits for the program it started; end waits for both
		"backup/storage/steady.go",        // not every storage stops when its context ends; Close waits
		"connectors/woocommerce/list.go",  // the page after; who lists stops it and waits
		"ui/history/near/pages.go":        // one that waits for whichever ends a question
		return true
	}
	return false
}

func TestWindowLeavesThreadCheckToOneRun(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "fyneDo = true") {
		t.Error("FyneApp.toml does not say that fyne.Do is used")
	}
}
