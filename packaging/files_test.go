// Package packaging holds what makes packages of Kvart; its tests hold the
// files together that say the same thing in several places.
package packaging

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"kvart/app"
)

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestID holds every place that names Kvart to the one name: a desktop finds
// window, icon, description and start at login by it.
func TestID(t *testing.T) {
	t.Parallel()
	for path, want := range map[string][]string{
		"linux/" + app.ID + ".desktop":      {"Icon=" + app.ID + "\n", "StartupWMClass=" + app.Name + "\n", "Name=" + app.Name + "\n"},
		"linux/" + app.ID + ".metainfo.xml": {"<id>" + app.ID + "</id>", app.ID + ".desktop</launchable>"},
		"macos/Info.plist":                  {"<string>" + app.ID + "</string>"},
		"macos/agent-Info.plist":            {"<string>" + app.ID + ".agent</string>"},
		"linux/install.sh":                  {"autostart/" + app.ID + ".desktop", "applications/" + app.ID + ".desktop"},
		"windows/kvart.nsi":                 {`$SMSTARTUP\` + app.Name + `.lnk`, `$LOCALAPPDATA\` + app.Name + `"`, `fyne\` + app.ID},
		"../FyneApp.toml":                   {`ID = "` + app.ID + `"`, `Version = "` + app.Version + `"`},
	} {
		text := read(t, path)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s does not say %q", path, w)
			}
		}
	}
}

// TestRelease holds the scripts' way of reading the version to what the
// programs say.
func TestRelease(t *testing.T) {
	t.Parallel()
	line := regexp.MustCompile(`(?m)^const Version = "(.*)"$`).FindStringSubmatch(read(t, "../app/doc.go"))
	if line == nil || line[1] != app.Version {
		t.Errorf("release.sh reads %q, the programs say %q", line, app.Version)
	}
	if !regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(app.Version) {
		t.Errorf("%q is no version for Windows and macOS, which take three numbers", app.Version)
	}
}

// TestInstaller_languages holds the installer's two languages together.
func TestInstaller_languages(t *testing.T) {
	t.Parallel()
	said := map[string]map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^LangString (\w+) \$\{LANG_(\w+)\} ".+"$`).FindAllStringSubmatch(read(t, "windows/kvart.nsi"), -1) {
		if said[m[1]] == nil {
			said[m[1]] = map[string]bool{}
		}
		said[m[1]][m[2]] = true
	}
	if len(said) < 5 {
		t.Fatalf("only %d texts", len(said))
	}
	for name, in := range said {
		if !in["ENGLISH"] || !in["SWEDISH"] {
			t.Errorf("%s is said in %v", name, in)
		}
	}
}
