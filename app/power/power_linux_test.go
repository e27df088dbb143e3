package power

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
)

func TestBatteryAt(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		supplies []string // "type status/online scope"
		want     app.Known
	}{
		"desktop":              {nil, app.KnownNo},
		"laptop plugged in":    {[]string{"Mains 1", "Battery Charging"}, app.KnownNo},
		"laptop, full":         {[]string{"Mains 1", "Battery Full"}, app.KnownNo},
		"laptop on battery":    {[]string{"Mains 0", "Battery Discharging"}, app.KnownYes},
		"two batteries":        {[]string{"Mains 0", "Battery Full", "Battery Discharging"}, app.KnownYes},
		"charged by USB-C":     {[]string{"Mains 0", "USB 1", "Battery Charging"}, app.KnownNo},
		"weak charger":         {[]string{"Mains 1", "Battery Discharging"}, app.KnownNo},
		"mouse on a desktop":   {[]string{"Battery Discharging Device"}, app.KnownNo},
		"battery that is mute": {[]string{"Battery Unknown"}, app.KnownNot},
		"mute and unplugged":   {[]string{"Mains 0", "Battery Unknown"}, app.KnownYes},
		"power cut on a UPS":   {[]string{"UPS Discharging"}, app.KnownYes},
	} {
		dir := t.TempDir()
		for i, s := range tt.supplies {
			f := append(strings.Fields(s), "")
			at := filepath.Join(dir, f[0]+string(rune('0'+i)))
			if err := os.Mkdir(at, 0o700); err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"type": f[0], "status": f[1], "online": f[1], "scope": f[2]} {
				if err := os.WriteFile(filepath.Join(at, file), []byte(text+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := batteryAt(dir); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if got := batteryAt(filepath.Join(t.TempDir(), "none")); got != app.KnownNot {
		t.Errorf("without the folder: %q", got)
	}
}

func TestMeteredOf(t *testing.T) {
	t.Parallel()
	for n, want := range []app.Known{app.KnownNot, app.KnownYes, app.KnownNo, app.KnownYes, app.KnownNo, app.KnownNot} {
		if got := meteredOf(uint32(n)); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
