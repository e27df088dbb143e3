package mysql

import (
	"context"
	"maps"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/internal/nearby"
)

// found returns what is found of one database.
func foundOf(found []app.Found, database string) *app.Found {
	i := slices.IndexFunc(found, func(f app.Found) bool { return f.Settings[fieldDatabase] == database })
	if i < 0 {
		return nil
	}
	return &found[i]
}

// finder finds the test's server alone, and sites below root.
func finder(t *testing.T, s *server, root string) nearby.Finder {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "mysql.sock")
	if err := os.Symlink(s.socket, socket); err != nil {
		t.Fatal(err)
	}
	var d net.Dialer
	return nearby.Finder{
		Dial: d.DialContext, Sockets: []string{socket}, WebRoots: []string{root},
		Listening: func(context.Context) nearby.Listening {
			return nearby.Listening{Whole: true, Ports: []nearby.Listener{{Hosts: []string{"127.0.0.1"}, Port: s.port, Owner: "mariadbd"}}}
		},
	}
}

func site(t *testing.T, root, name, config string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, name, "wp-content", "plugins", "woocommerce"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, name, "wp-config.php"), []byte("<?php "+config), 0o644); err != nil {
		t.Fatal(err)
	}
}

// On a server whose socket lets this account in, the databases are found, ready
// to be added; on one that asks for a password only what sites tell of theirs.
func TestConnector_Discover(t *testing.T) {
	t.Parallel()
	s := own(t)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	account := literal(me.Username) + "@" + literal("localhost")
	s.exec(t, "CREATE USER IF NOT EXISTS "+account)
	s.exec(t, "GRANT ALL ON *.* TO "+account)
	for _, db := range []string{"kaffe", "tom", "anteckningar", drillPrefix + "1", "kaffe" + oldSuffix} {
		s.exec(t, "CREATE DATABASE "+quote(db))
		if db != "tom" {
			s.in(t, db, "CREATE TABLE wp_posts (id INT) ENGINE=InnoDB", "INSERT INTO wp_posts VALUES (1)")
		}
	}
	s.in(t, "kaffe", "CREATE TABLE wp_wc_orders (id INT)", "CREATE TABLE wp_wc_customer_lookup (id INT)")
	root := t.TempDir()
	site(t, root, "kaffebutiken", "define('DB_NAME','kaffe'); define('DB_USER','wp'); define('DB_PASSWORD','hemligt'); define('DB_HOST','localhost:"+strconv.Itoa(s.port)+"');")
	site(t, root, "annan", "define('DB_NAME','annan'); define('DB_USER','wp'); define('DB_PASSWORD','hemligt'); define('DB_HOST','127.0.0.1:"+strconv.Itoa(s.port)+"');")
	site(t, root, "borta", "define('DB_NAME','borta'); define('DB_USER','wp'); define('DB_HOST','localhost:1');")
	site(t, root, "hotellet", "define('DB_NAME','hotellet'); define('DB_USER','wp'); define('DB_HOST','db.example');")
	c := connector(t)
	f := finder(t, s, root)

	found, err := c.discover(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, f := range found {
		names[f.Name] = f.Settings[fieldDatabase]
		for _, v := range f.Settings {
			if strings.Contains(v, "hemligt") {
				t.Errorf("a password was taken: %+v", f)
			}
		}
	}
	want := map[string]string{"kaffebutiken": "kaffe", "anteckningar": "anteckningar", "annan": "annan", "hotellet": "hotellet"}
	if !maps.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
	shop := foundOf(found, "kaffe")
	if shop == nil || !shop.Likely || shop.Bytes == 0 || shop.Settings[fieldSocket] != f.Sockets[0] || shop.Settings[fieldUser] != me.Username {
		t.Fatalf("found %+v", shop)
	}
	if err := c.Spec().CheckSettings(shop.Settings, nil); err != nil {
		t.Errorf("can't be added: %v", err)
	}
	if _, err := c.Check(t.Context(), app.Access{Source: app.Source{Kind: Kind, Settings: shop.Settings}}); err != nil {
		t.Errorf("can't be read: %v", err)
	}
	if f := foundOf(found, "annan"); f == nil || f.Likely || f.Settings[fieldPort] != strconv.Itoa(s.port) || f.Settings[fieldUser] != "wp" {
		t.Errorf("found %+v", f)
	}

	s.exec(t, "ALTER USER "+account+" IDENTIFIED BY 'hemligt'")
	found, err = c.discover(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if f := foundOf(found, "kaffe"); f == nil || f.Likely || f.Name != "kaffebutiken" || f.Settings[fieldUser] != "wp" || f.Settings[fieldHost] != "127.0.0.1" {
		t.Errorf("found %+v", f)
	}
	if foundOf(found, "anteckningar") != nil || len(found) != 3 {
		t.Errorf("found %+v", found)
	}

	f.WebRoots = nil
	found, err = c.discover(t.Context(), f)
	if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].Name, "MariaDB 1") || found[0].Likely ||
		!maps.Equal(found[0].Settings, map[string]string{fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(s.port)}) {
		t.Errorf("found %+v, %v", found, err)
	}
}

// Whatever runs on this computer, looking is over in time.
func TestConnector_Discover_here(t *testing.T) {
	t.Parallel()
	start := time.Now()
	if _, err := connector(t).Discover(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*discoverTime {
		t.Errorf("took %v", took)
	}
}
