package proxy

import (
	"errors"
	"testing"
)

func TestRead_gnome(t *testing.T) {
	t.Parallel()
	desktop := map[string]string{
		"org.gnome.system.proxy mode":         "'manual'",
		"org.gnome.system.proxy ignore-hosts": "['localhost', '*.lan']",
		"org.gnome.system.proxy.http host":    "'proxy.lan'",
		"org.gnome.system.proxy.http port":    "3128",
		"org.gnome.system.proxy.https host":   "''",
		"org.gnome.system.proxy.https port":   "0",
	}
	ask := func(schema, key string) (string, error) { return desktop[schema+" "+key], nil }
	if s, err := read(ask); err != nil || s != (Settings{HTTP: "http://proxy.lan:3128", None: "localhost,.lan"}) {
		t.Errorf("%+v, %v", s, err)
	}
	for _, mode := range []string{"'none'", "'auto'", ""} {
		desktop["org.gnome.system.proxy mode"] = mode
		if s, err := read(ask); err != nil || s != (Settings{}) {
			t.Errorf("%s: %+v, %v", mode, s, err)
		}
	}
	if _, err := read(func(string, string) (string, error) { return "", errors.New("no bus") }); err == nil {
		t.Error("a desktop that does not answer has no settings")
	}
}
