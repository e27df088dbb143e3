package proxy

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// patience is how long the desktop's settings may take to answer.
const patience = 3 * time.Second

// system reads GNOME's settings, which most desktops share. A computer without
// them has no proxy but what the environment says; a proxy script (PAC) is not
// understood.
func system(ctx context.Context) (Settings, error) {
	if _, err := exec.LookPath("gsettings"); err != nil {
		return Settings{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return read(func(schema, key string) (string, error) {
		out, err := exec.CommandContext(ctx, "gsettings", "get", schema, key).Output()
		var exit *exec.ExitError
		if errors.As(err, &exit) && ctx.Err() == nil {
			return "", nil // the schema is not installed
		}
		if err != nil {
			return "", fmt.Errorf("ask gsettings: %w", err)
		}
		return strings.TrimSpace(string(out)), nil
	})
}

// read makes settings of what ask answers.
func read(ask func(schema, key string) (string, error)) (Settings, error) {
	const root = "org.gnome.system.proxy"
	mode, err := ask(root, "mode")
	if err != nil || strings.Trim(mode, "'") != "manual" {
		return Settings{}, err
	}
	one := func(kind string) (string, error) {
		host, err := ask(root+"."+kind, "host")
		if err != nil {
			return "", err
		}
		port, err := ask(root+"."+kind, "port")
		return address(strings.Trim(host, "'"), port), err
	}
	var s Settings
	if s.HTTP, err = one("http"); err != nil {
		return Settings{}, err
	}
	if s.HTTPS, err = one("https"); err != nil {
		return Settings{}, err
	}
	ignored, err := ask(root, "ignore-hosts")
	if err != nil {
		return Settings{}, err
	}
	hosts, err := quoted(ignored)
	s.None = commas(hosts)
	return s, err
}
