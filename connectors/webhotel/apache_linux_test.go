package webhotel

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kvart/app"
)

// apache serves a folder as a web hotel does, with its own rules in force.
func apache(t *testing.T, root string) (url string) {
	t.Helper()
	exe, err := exec.LookPath("/usr/sbin/apache2")
	if err != nil {
		t.Skipf("KVART-SKIP: apache2 is not installed: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var conf strings.Builder
	for _, m := range []string{"mpm_event", "authz_core", "dir", "mime", "rewrite", "headers"} {
		fmt.Fprintf(&conf, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
	}
	if os.Geteuid() == 0 {
		conf.WriteString("User www-data\nGroup www-data\n")
		for up := root; strings.HasPrefix(up, os.TempDir()) && up != os.TempDir(); up = filepath.Dir(up) {
			if err := os.Chmod(up, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	types := filepath.Join(dir, "types")
	fmt.Fprintf(&conf, "Listen %s\nServerName localhost\nDefaultRuntimeDir %s\nPidFile %s/pid\nErrorLog %s/log\nTypesConfig %s\nDocumentRoot %s\nDirectoryIndex index.html\n<Directory %s>\nAllowOverride All\nRequire all granted\nOptions +FollowSymLinks\n</Directory>\n",
		at, dir, dir, dir, types, root, root)
	file := filepath.Join(dir, "conf")
	if err := os.WriteFile(types, []byte("text/html html\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(conf.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe, "-f", file, "-DFOREGROUND")
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	var out strings.Builder
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		_ = c.Wait()
		if log, err := os.ReadFile(filepath.Join(dir, "log")); t.Failed() {
			t.Logf("apache: %s %s %v", &out, log, err)
		}
	})
	for range 200 {
		if conn, err := net.Dial("tcp", at); err == nil {
			_ = conn.Close()
			return "http://" + at
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("apache does not start: %s", &out)
	return ""
}

// The page is shown in the shop's place by a real server: to everybody, at every
// address, with an answer that search engines take for a pause.
func TestConnector_Publish_apache(t *testing.T) {
	t.Parallel()
	for folder, rules := range map[string]string{"": "# ours\nDirectoryIndex index.html\n", "butik": "RewriteEngine On\nRewriteBase /butik/\nRewriteRule ^gammal$ ny.html [R]\n"} {
		t.Run("in "+folder, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			site := filepath.Join(root, folder)
			put1(t, filepath.Join(site, "index.html"), "<h1>Nyrostat kaffe</h1>", past)
			put1(t, filepath.Join(site, "kassa", "index.html"), "<h1>Betala</h1>", past)
			put1(t, filepath.Join(site, rulesFile), rules, past)
			url := apache(t, root) + "/" + folder
			if folder != "" {
				url += "/"
			}
			ask := func(path, login string) (int, string, http.Header) {
				t.Helper()
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				if login != "" {
					r.SetBasicAuth(login, "x")
				}
				res, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				b, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				return res.StatusCode, string(b), res.Header
			}
			p := &published{T: t, site: site, c: quick(t, &fakeDB{}), a: serveSFTP(t).site(t, site), see: content, before: content(t, site)}
			p.publish()
			for _, path := range []string{"", "kassa/", "gammal", "finns-inte"} {
				status, body, head := ask(path, "")
				if status != http.StatusServiceUnavailable || body != backSoon || head.Get("Retry-After") != "3600" {
					t.Errorf("/%s: %d, %q, again after %q", path, status, body, head.Get("Retry-After"))
				}
			}
			if status, body, _ := ask(app.PageName, ""); status != http.StatusOK || body != backSoon {
				t.Errorf("the page itself: %d, %q", status, body)
			}
			if status, body, _ := ask("kassa/", "kvart"); status != http.StatusOK || body != "<h1>Betala</h1>" {
				t.Errorf("a program that logs in: %d, %q", status, body)
			}
			p.withdraw()
			p.down()
			if status, body, _ := ask("", ""); status != http.StatusOK || body != "<h1>Nyrostat kaffe</h1>" {
				t.Errorf("open again: %d, %q", status, body)
			}
		})
	}
}
