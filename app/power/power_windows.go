package power

import (
	"context"
	"unsafe"

	"golang.org/x/sys/windows"

	"kvart/app"
)

// systemPower is SYSTEM_POWER_STATUS of the Windows API.
type systemPower struct {
	line, battery, percent, saver byte
	seconds, full                 uint32
}

// What line says.
const (
	lineOff = 0
	lineOn  = 1
)

func battery() app.Known {
	var s systemPower
	get := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetSystemPowerStatus")
	if get.Find() != nil {
		return app.KnownNot
	}
	if ok, _, _ := get.Call(uintptr(unsafe.Pointer(&s))); ok == 0 {
		return app.KnownNot
	}
	switch s.line {
	case lineOff:
		return app.KnownYes
	case lineOn:
		return app.KnownNo
	}
	return app.KnownNot
}

// metered is not known: Windows tells it only to programs of its store.
func metered(context.Context) app.Known { return app.KnownNot }
