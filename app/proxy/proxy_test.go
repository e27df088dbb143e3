package proxy

import (
	"strings"
	"testing"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ host, port, want string }{
		{"proxy.lan", "3128", "http://proxy.lan:3128"},
		{"http://proxy.lan", "3128", "http://proxy.lan:3128"},
		{"http://proxy.lan:8080", "", "http://proxy.lan:8080"},
		{"proxy.lan", "0", ""},
		{"", "3128", ""},
		{"http://", "3128", ""},
		{"10.0.0.1", "", "http://10.0.0.1"},
	} {
		if got := address(tt.host, tt.port); got != tt.want {
			t.Errorf("%q, %q: %q, want %q", tt.host, tt.port, got, tt.want)
		}
	}
}

func TestQuoted(t *testing.T) {
	t.Parallel()
	got, err := quoted("['localhost', '127.0.0.0/8', '*.local', '::1']")
	if err != nil || commas(got) != "localhost,127.0.0.0/8,.local,::1" {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := quoted("@as []"); err != nil || len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := quoted("['localhost"); err == nil {
		t.Error("a list that breaks off was read")
	}
}

func TestAdopt_leavesTheEnvironmentsOwn(t *testing.T) {
	t.Parallel()
	get := func(key string) string {
		if key == "HTTPS_PROXY" {
			return "http://chosen:1"
		}
		return ""
	}
	err := Adopt(t.Context(), get, func(key, value string) error {
		t.Errorf("%s was set to %s", strings.ToUpper(key), value)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
