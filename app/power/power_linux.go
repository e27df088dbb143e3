package power

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"

	"kvart/app"
)

// supplies is where the kernel describes what feeds the computer, see
// https://docs.kernel.org/power/power_supply_class.html.
const supplies = "/sys/class/power_supply"

func battery() app.Known { return batteryAt(supplies) }

// batteryAt reads a folder like [supplies]. A computer without a battery of its
// own does not run on one; batteries of mice and the like don't count.
func batteryAt(dir string) app.Known {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return app.KnownNot
	}
	batteries, discharging, plugs, plugged := 0, false, 0, false
	for _, e := range entries {
		read := func(name string) string {
			b, err := os.ReadFile(filepath.Join(dir, e.Name(), name))
			if err != nil {
				return "" // not every supply has everything
			}
			return strings.TrimSpace(string(b))
		}
		switch read("type") {
		case "Battery":
			if read("scope") != "Device" {
				batteries++
				discharging = discharging || read("status") == "Discharging"
			}
		case "Mains", "USB", "Wireless":
			plugs++
			plugged = plugged || read("online") == "1"
		case "UPS":
			discharging = discharging || read("status") == "Discharging"
		}
	}
	switch {
	case plugged:
		return app.KnownNo
	case discharging:
		return app.KnownYes
	case batteries == 0:
		return app.KnownNo
	case plugs > 0:
		return app.KnownYes
	}
	return app.KnownNot
}

// NetworkManager's word on the connection, see
// https://networkmanager.dev/docs/api/latest/nm-dbus-types.html#NMMetered.
const (
	manager       = "org.freedesktop.NetworkManager"
	managerObject = "/org/freedesktop/NetworkManager"
	meteredYes    = uint32(1)
	meteredNo     = uint32(2)
	guessYes      = uint32(3)
	guessNo       = uint32(4)
)

func metered(ctx context.Context) app.Known {
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return app.KnownNot
	}
	defer func() { _ = conn.Close() }() // nothing was written
	return meteredOn(ctx, conn)
}

// meteredOn asks NetworkManager on a bus, which is not started for that.
func meteredOn(ctx context.Context, conn *dbus.Conn) app.Known {
	var v dbus.Variant
	call := conn.Object(manager, managerObject).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", dbus.FlagNoAutoStart, manager, "Metered")
	if call.Store(&v) != nil {
		return app.KnownNot
	}
	n, ok := v.Value().(uint32)
	if !ok {
		return app.KnownNot
	}
	return meteredOf(n)
}

func meteredOf(n uint32) app.Known {
	switch n {
	case meteredYes, guessYes:
		return app.KnownYes
	case meteredNo, guessNo:
		return app.KnownNo
	}
	return app.KnownNot
}
