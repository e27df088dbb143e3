package main

import "testing"

func TestWhereOf(t *testing.T) {
	t.Parallel()
	type settings = map[string]string
	for _, tt := range []struct {
		settings settings
		want     string
	}{
		{settings{"path": "/srv/kassa.db"}, "/srv/kassa.db"},
		{settings{"url": "https://butiken.se", "user": "a"}, "https://butiken.se"},
		{settings{"host": "127.0.0.1", "port": "3306", "database": "shop", "user": "wp"}, "127.0.0.1:3306 shop"},
		{settings{"host": "::1", "port": "5432"}, "[::1]:5432"},
		{settings{"host": "127.0.0.1", "port": "3306", "socket": "/run/mysqld/mysqld.sock", "database": "shop"}, "/run/mysqld/mysqld.sock shop"},
		{settings{"host": "127.0.0.1", "instance": "SQLEXPRESS"}, `127.0.0.1\SQLEXPRESS`},
		{nil, ""},
	} {
		if got := whereOf(tt.settings); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.settings, got, tt.want)
		}
	}
}
