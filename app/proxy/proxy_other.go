//go:build !linux

package proxy

import (
	"context"
	"strings"

	"github.com/mattn/go-ieproxy"
)

// system reads the settings of Windows or macOS. A proxy script (PAC) is not
// understood.
func system(context.Context) (Settings, error) {
	c := ieproxy.GetConf().Static
	if !c.Active {
		return Settings{}, nil
	}
	of := func(scheme string) string {
		if p := c.Protocols[scheme]; p != "" {
			return address(p, "")
		}
		return address(c.Protocols[""], "")
	}
	return Settings{HTTP: of("http"), HTTPS: of("https"), None: commas(strings.Split(c.NoProxy, ","))}, nil
}
