package agent

import (
	"testing"

	"kvart/app"
)

func TestSamePlace(t *testing.T) {
	t.Parallel()
	spec := app.KindSpec{Fields: []app.Field{{Key: "host", Default: "127.0.0.1"}, {Key: "port", Default: "3306"}}}
	type settings = map[string]string
	for _, tt := range []struct {
		name          string
		source, found settings
		want          bool
	}{
		{"the same file", settings{"path": "/srv/kassa.db"}, settings{"path": "/srv/x/../kassa.db"}, true},
		{"another file", settings{"path": "/srv/kassa.db"}, settings{"path": "/srv/lager.db"}, false},
		{"a folder with other exceptions", settings{"path": "/srv/shop", "exclude": "*.tmp"}, settings{"path": "/srv/shop", "exclude": "/cache"}, true},
		{"a source without a path", settings{"url": "https://a"}, settings{"path": "/srv/kassa.db"}, false},
		{"another user", settings{"host": "localhost", "port": "3306", "user": "a", "database": "shop"}, settings{"host": "127.0.0.1", "database": "shop", "user": "b"}, true},
		{"another database", settings{"host": "localhost", "database": "shop"}, settings{"host": "localhost", "database": "lager"}, false},
		{"another port", settings{"host": "localhost", "database": "shop"}, settings{"host": "127.0.0.1", "port": "3307", "database": "shop"}, false},
		{"another server", settings{"host": "db.example", "database": "shop"}, settings{"host": "127.0.0.1", "database": "shop"}, false},
		{"the server of a source", settings{"host": "127.0.0.1", "database": "shop"}, settings{"host": "127.0.0.1", "port": "3306"}, true},
		{"one socket", settings{"host": "127.0.0.1", "port": "3306", "socket": "/run/s", "database": "shop"}, settings{"socket": "/run/s", "database": "shop"}, true},
		{"two sockets", settings{"host": "127.0.0.1", "port": "3306", "socket": "/run/s", "database": "shop"}, settings{"host": "127.0.0.1", "port": "3306", "socket": "/run/t", "database": "shop"}, false},
		{"port and socket of one server", settings{"host": "127.0.0.1", "port": "3306", "database": "shop"}, settings{"host": "127.0.0.1", "port": "3306", "socket": "/run/s", "database": "shop"}, true},
		{"a server that has only a socket", settings{"host": "127.0.0.1", "port": "3306", "database": "shop"}, settings{"socket": "/run/s", "database": "shop"}, false},
		{"two instances", settings{"host": "127.0.0.1", "instance": "A"}, settings{"host": "127.0.0.1", "instance": "B"}, false},
		{"one instance", settings{"host": "127.0.0.1", "instance": "A"}, settings{"host": "127.0.0.1", "instance": "a"}, true},
	} {
		if got := samePlace(spec, tt.source, tt.found); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
