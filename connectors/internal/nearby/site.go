package nearby

import (
	"context"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of a look for sites.
const (
	siteDepth   = 4
	siteFolders = 4000
	mostSites   = 30
)

// Site is a web site whose files lie on this computer.
type Site struct {
	Dir    string
	System string // "WordPress"
	Name   string // the folder's, or the system's where that says nothing
	Files  string // folder with what is the site's own; "" when it wasn't found
	Shop   bool   // it sells something

	// Where its database is, as far as its settings tell; never a password.
	Database string
	User     string
	Prefix   string // of the names of its tables
	Host     string // "127.0.0.1" for this computer
	Port     int    // 0 for the usual one
	Socket   string

	Changed time.Time // of its settings
}

// Local reports whether the site's database is on this computer.
func (s Site) Local() bool {
	ip := net.ParseIP(s.Host)
	return s.Socket != "" || ip != nil && ip.IsLoopback()
}

// Sites returns the sites below the usual folders of web servers. It gives up
// with what it has when ctx ends. What can't be read is passed by.
func (f Finder) Sites(ctx context.Context) []Site {
	w := walk{ctx: ctx, left: siteFolders}
	for _, root := range existing(f.WebRoots) {
		w.visit(root, siteDepth)
	}
	return w.found
}

type walk struct {
	ctx   context.Context
	left  int
	found []Site
}

// visit looks at a folder and at those in it.
func (w *walk) visit(dir string, depth int) {
	if w.left--; w.left < 0 || w.ctx.Err() != nil || len(w.found) >= mostSites {
		return
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	if s, ok := readSite(dir, list); ok {
		w.found = append(w.found, s)
	}
	if depth == 0 {
		return
	}
	for _, e := range list {
		if e.IsDir() && !innards(e.Name()) {
			w.visit(filepath.Join(dir, e.Name()), depth-1)
		}
	}
}

// innards reports whether a folder of that name is a part of a site and holds
// no other.
func innards(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{
		"node_modules", "vendor", "cache", "var", "tmp", "wp-admin", "wp-includes", "wp-content", "phpmyadmin", "modules", "themes", "img",
	}, strings.ToLower(name))
}

func has(list []fs.DirEntry, name string) bool {
	return slices.ContainsFunc(list, func(e fs.DirEntry) bool { return e.Name() == name })
}

// readSite reads the site whose settings lie in dir.
func readSite(dir string, list []fs.DirEntry) (s Site, ok bool) {
	switch {
	case has(list, "wp-config.php"):
		s, ok = wordPress(dir, list)
	case has(list, "app") && has(list, "config") && isFile(filepath.Join(dir, "app", "config", "parameters.php")):
		s, ok = prestaShop(dir, filepath.Join(dir, "app", "config", "parameters.php"))
	case has(list, "config") && isFile(filepath.Join(dir, "config", "settings.inc.php")):
		s, ok = prestaShop(dir, filepath.Join(dir, "config", "settings.inc.php"))
	}
	s.Dir, s.Name = dir, siteName(dir, s.System)
	return s, ok
}

// wordPress reads a WordPress site. The settings may lie one folder above it.
func wordPress(dir string, list []fs.DirEntry) (Site, bool) {
	file := filepath.Join(dir, "wp-config.php")
	s := Site{System: "WordPress", Changed: changed(file)}
	all := tokens(string(readSome(file)))
	got := defined(all, map[string]bool{"DB_NAME": true, "DB_USER": true, "DB_HOST": true})
	s.Database, s.User, s.Prefix = got["DB_NAME"], got["DB_USER"], assigned(all, "$table_prefix")
	s.reach(got["DB_HOST"])
	content := []string{filepath.Join(dir, "wp-content")}
	for _, e := range list {
		if e.IsDir() && !innards(e.Name()) {
			content = append(content, filepath.Join(dir, e.Name(), "wp-content"))
		}
	}
	for _, c := range content {
		if fi, err := os.Stat(c); err == nil && fi.IsDir() {
			s.Files = c
			break
		}
	}
	if s.Files != "" {
		_, err := os.Stat(filepath.Join(s.Files, "plugins", "woocommerce"))
		s.Shop = err == nil
	}
	// A file by that name that holds nothing may be unreadable: then at least
	// the files beside it are a site's.
	return s, s.Database != "" || s.Files != ""
}

// prestaShop reads a PrestaShop site, of today's or of older settings.
func prestaShop(dir, file string) (Site, bool) {
	s := Site{System: "PrestaShop", Shop: true, Changed: changed(file)}
	all := tokens(string(readSome(file)))
	if filepath.Base(file) == "parameters.php" {
		got := entries(all, map[string]bool{"database_host": true, "database_port": true, "database_name": true, "database_user": true, "database_prefix": true})
		s.Database, s.User, s.Prefix = got["database_name"], got["database_user"], got["database_prefix"]
		s.reach(got["database_host"])
		if n, err := strconv.ParseUint(got["database_port"], 10, 16); err == nil && n != 0 && s.Port == 0 {
			s.Port = int(n)
		}
	} else {
		got := defined(all, map[string]bool{"_DB_SERVER_": true, "_DB_NAME_": true, "_DB_USER_": true, "_DB_PREFIX_": true})
		s.Database, s.User, s.Prefix = got["_DB_NAME_"], got["_DB_USER_"], got["_DB_PREFIX_"]
		s.reach(got["_DB_SERVER_"])
	}
	if isFile(filepath.Join(dir, "config", "defines.inc.php")) {
		s.Files = dir
	}
	return s, s.Database != "" || s.Files != ""
}

// reach reads where a database is, as PHP's programs spell it: a host, a port
// or a socket behind a colon.
func (s *Site) reach(host string) {
	host = strings.TrimSpace(host)
	if before, socket, ok := strings.Cut(host, ":/"); ok {
		host, s.Socket = before, "/"+socket
	} else if strings.HasPrefix(host, "/") {
		host, s.Socket = "", host
	}
	if h, port, err := net.SplitHostPort(host); err == nil {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil {
			s.Port = int(n)
		}
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	s.Host = host
}

// siteName names a site by the nearest folder whose name says something.
func siteName(dir, system string) string {
	for at := dir; ; {
		name := filepath.Base(at)
		up := filepath.Dir(at)
		if up == at || slices.Contains([]string{"www", "htdocs", "xampp", "lampp", "laragon", "mamp", "srv", "var", "xamppfiles", "wwwroot"}, strings.ToLower(name)) {
			return system
		}
		if !slices.Contains([]string{"html", "public", "public_html", "httpdocs", "app", "web", "wordpress", "prestashop", "site", "http", "current"}, strings.ToLower(name)) {
			return name
		}
		at = up
	}
}

func isFile(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.Mode().IsRegular()
}

func changed(path string) time.Time {
	fi, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return fi.ModTime()
}

func usualWebRoots(system, home string) []string {
	var out []string
	for _, name := range []string{"Local Sites", "Sites", "public_html", "www", "Herd"} {
		if home != "" {
			out = append(out, filepath.Join(home, name))
		}
	}
	switch system {
	case "windows":
		for _, drive := range []string{`C:`, `D:`} {
			for _, at := range []string{`\xampp\htdocs`, `\wamp64\www`, `\wamp\www`, `\laragon\www`, `\MAMP\htdocs`, `\inetpub\wwwroot`, `\Bitnami\*\apps\wordpress\htdocs`} {
				out = append(out, drive+at)
			}
		}
		return append(out, os.Getenv("ProgramFiles")+`\Ampps\www`)
	case "darwin":
		return append(out, "/Applications/MAMP/htdocs", "/Applications/XAMPP/xamppfiles/htdocs", "/Library/WebServer/Documents",
			"/opt/homebrew/var/www", "/usr/local/var/www")
	}
	return append(out, "/var/www", "/srv/www", "/srv/http", "/opt/lampp/htdocs", "/opt/bitnami/wordpress", "/opt/bitnami/prestashop",
		"/usr/share/nginx/html", "/usr/share/wordpress")
}
