package agent

import (
	"cmp"
	"path/filepath"
	"runtime"
	"strings"

	"kvart/app"
)

// samePlace reports whether a source's settings lead to what was found, as
// whatever user. What was found without being named, such as the databases of a
// server that tells of none, is known once any of it is set up.
func samePlace(spec app.KindSpec, source, found map[string]string) bool {
	for _, key := range []string{"path", "url", "shop", "instance", "database"} {
		if found[key] != "" && tidy(key, source[key]) != tidy(key, found[key]) {
			return false
		}
	}
	if found["host"] == "" && found["socket"] == "" {
		return true
	}
	return sameServer(spec, source, found)
}

// sameServer reports whether two settings lead to one server. The socket comes
// before host and port, which a source that is reached by one may have too.
func sameServer(spec app.KindSpec, source, found map[string]string) bool {
	port := func(s map[string]string) string {
		f, _ := spec.Field("port")
		return cmp.Or(s["port"], f.Default)
	}
	switch {
	case source["socket"] != "" && found["socket"] != "":
		return tidy("path", source["socket"]) == tidy("path", found["socket"]) && port(source) == port(found)
	case found["host"] == "":
		return false
	}
	return tidy("host", source["host"]) == tidy("host", found["host"]) && port(source) == port(found)
}

// tidy spells a setting in one way only.
func tidy(key, value string) string {
	value = strings.TrimSpace(value)
	if value == "" && key != "host" {
		return ""
	}
	switch key {
	case "path":
		value = filepath.Clean(value)
		if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
			value = strings.ToLower(value)
		}
	case "host":
		switch value = strings.ToLower(strings.Trim(value, "[]")); value {
		case "", "localhost", "::1":
			value = "127.0.0.1"
		}
	case "instance", "url", "shop":
		value = strings.ToLower(strings.TrimSuffix(value, "/"))
	}
	return value
}
