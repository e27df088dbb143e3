package nearby

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const wpConfig = `<?php
/* define('DB_NAME', 'commented_out'); */
// define( 'DB_NAME', 'commented too' );
# define( 'DB_NAME', 'and this' );
define( 'DB_NAME', 'butiken' );
define("DB_USER", "wp\$user");
define( 'DB_PASSWORD', 'hem\'li);gt' ); // define('DB_HOST', 'wrong')
define( 'DB_HOST' , 'localhost:3307' );
define( 'DB_NAME', 'second' );
$table_prefix  = 'shop_';
`

func TestFinder_Sites(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	put(t, in("www", "kaffe", "wp-config.php"), wpConfig)
	put(t, in("www", "kaffe", "wp-content", "plugins", "woocommerce", "woocommerce.php"), "<?php")
	put(t, in("www", "kaffe", "wp-content", "uploads", "wp-config.php"), "<?php define('DB_NAME','uploaded');")
	put(t, in("htdocs", "wp-config.php"), "<?php define('DB_NAME', getenv_docker('WORDPRESS_DB_NAME', 'wordpress')); define('DB_USER', getenv('U') ?: 'u'); define('DB_HOST', getenv('DB_HOST'));")
	put(t, in("htdocs", "blog", "wp-content", "index.php"), "")
	put(t, in("www", "presta", "public", "app", "config", "parameters.php"), `<?php return array ( 'parameters' => array (
		'database_host' => '127.0.0.1', 'database_port' => 3308, 'database_name' => 'ps', 'database_user' => 'psu',
		'database_password' => 'hemligt', 'database_prefix' => 'ps_', 'database_engine' => 'InnoDB', 'secret' => 'x' ) );`)
	put(t, in("www", "presta", "public", "config", "defines.inc.php"), "<?php")
	put(t, in("www", "old", "config", "settings.inc.php"), "<?php define('_DB_SERVER_', '/run/mysqld/mysqld.sock'); define('_DB_NAME_', 'ps16'); define('_DB_USER_', 'old'); define('_DB_PASSWD_', 'hemligt');")
	put(t, in("www", "broken", "wp-config.php"), "<?php define('DB_NAME', \"unfinished")
	put(t, in("www", "far", "a", "b", "c", "d", "wp-config.php"), wpConfig)
	put(t, in("www", "node_modules", "wp-config.php"), wpConfig)
	f := Finder{WebRoots: []string{in("www"), in("htdocs"), in("missing"), in("www")}}
	var got []string
	for _, s := range f.Sites(t.Context()) {
		rel := strings.TrimPrefix(s.Files, root)
		got = append(got, fmt.Sprintf("%s|%s|%s@%s:%d%s/%s.%s|%s|%t", s.Name, s.System, s.User, s.Host, s.Port, s.Socket, s.Database, s.Prefix, filepath.ToSlash(rel), s.Shop))
		if text := fmt.Sprintf("%+v", s); strings.Contains(text, "hem") {
			t.Errorf("a password was kept: %s", text)
		}
	}
	want := []string{
		"kaffe|WordPress|wp$user@127.0.0.1:3307/butiken.shop_|/www/kaffe/wp-content|true",
		"presta|PrestaShop|psu@127.0.0.1:3308/ps.ps_|/www/presta/public|true",
		"old|PrestaShop|old@127.0.0.1:0/run/mysqld/mysqld.sock/ps16.||true",
		"WordPress|WordPress|u@127.0.0.1:0/wordpress.|/htdocs/blog/wp-content|false",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if got := f.Sites(canceled); len(got) != 0 {
		t.Errorf("canceled, and yet %v", got)
	}
}

func TestFinder_Sites_closed(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	put(t, filepath.Join(root, "kaffe", "wp-config.php"), wpConfig)
	put(t, filepath.Join(root, "shut", "x", "wp-config.php"), wpConfig)
	put(t, filepath.Join(root, "huge", "wp-config.php"), "<?php "+strings.Repeat("\"'(", 1<<20)+wpConfig)
	if runtime.GOOS != "windows" {
		if err := os.Chmod(filepath.Join(root, "shut"), 0); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(filepath.Join(root, "shut"), 0o755) })
	}
	got := Finder{WebRoots: []string{root}}.Sites(t.Context())
	if !slices.ContainsFunc(got, func(s Site) bool { return s.Name == "kaffe" && s.Database == "butiken" }) {
		t.Errorf("got %+v", got)
	}
}

func TestSite_reach(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"":                                "127.0.0.1 0  true",
		"localhost":                       "127.0.0.1 0  true",
		"127.0.0.1:8889":                  "127.0.0.1 8889  true",
		"[::1]:3307":                      "::1 3307  true",
		"::1":                             "::1 0  true",
		"localhost:/tmp/mysql.sock":       "127.0.0.1 0 /tmp/mysql.sock true",
		":/tmp/mysql.sock":                "127.0.0.1 0 /tmp/mysql.sock true",
		"mysql57.webbhotell.example":      "mysql57.webbhotell.example 0  false",
		"db.example:33060":                "db.example 33060  false",
		"db.example:99999999999999999999": "db.example 0  false",
	} {
		var s Site
		s.reach(host)
		if got := fmt.Sprintf("%s %d %s %t", s.Host, s.Port, s.Socket, s.Local()); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func FuzzTokens(f *testing.F) {
	f.Add(wpConfig)
	f.Add(`<?php define('DB_NAME',"\`)
	f.Fuzz(func(_ *testing.T, src string) {
		all := tokens(src)
		defined(all, map[string]bool{"DB_NAME": true, "": true})
		entries(all, map[string]bool{"a": true})
		assigned(all, "$a")
	})
}
