package sqlserver

import (
	"context"
	"strconv"
	"time"

	"kvart/app"
	"kvart/connectors/internal/nearby"
)

var _ app.Discoverer = (*Connector)(nil)

// discoverTime is how long a discovery may take.
const discoverTime = 2500 * time.Millisecond

// Discover implements [app.Discoverer]: the SQL Servers on this computer, by
// their ports, or by their names where they listen on none. Which databases
// they have, they tell to nobody without a user.
func (c *Connector) Discover(ctx context.Context) ([]app.Found, error) {
	return c.discover(ctx, nearby.New())
}

func (c *Connector) discover(ctx context.Context, f nearby.Finder) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	var found []app.Found
	for _, s := range f.Servers(ctx, nearby.SQLServer) {
		settings := map[string]string{fieldHost: s.Host}
		if s.Port != 0 {
			settings[fieldPort] = strconv.Itoa(s.Port)
		} else if s.Instance != "" {
			settings[fieldInstance] = s.Instance
		}
		found = append(found, app.Found{Kind: Kind, Name: s.Name(), Settings: settings})
	}
	return found, nil
}
