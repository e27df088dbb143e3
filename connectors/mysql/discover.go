package mysql

import (
	"context"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/internal/nearby"
)

var _ app.Discoverer = (*Connector)(nil)

// Limits of a discovery.
const (
	discoverTime = 2500 * time.Millisecond
	discoverMost = 50
)

// Discover implements [app.Discoverer]: the databases of servers on this
// computer. Where this account is let in without a password by the server's
// socket, each database with a table in it is found, with its size. The
// settings of web sites tell of theirs; what they lack is the password, which
// is never taken from them. A server of which no more is known is found by its
// host and port alone.
func (c *Connector) Discover(ctx context.Context) ([]app.Found, error) {
	return c.discover(ctx, nearby.New())
}

func (c *Connector) discover(ctx context.Context, f nearby.Finder) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	var wg sync.WaitGroup
	var sites []nearby.Site
	wg.Go(func() { sites = f.Sites(ctx) })
	servers := f.Servers(ctx, nearby.MySQL)
	listed := make([][]app.Found, len(servers))
	for i, s := range servers {
		wg.Go(func() { listed[i] = c.list(ctx, s) })
	}
	wg.Wait()
	known := make([]bool, len(servers)) // what is on the server
	var found []app.Found
	for i := range servers {
		known[i] = len(listed[i]) > 0
		found = append(found, listed[i]...)
	}
	for _, s := range sites {
		i := serverOf(s, servers)
		if s.Database == "" || i < 0 && s.Local() {
			continue // its server doesn't run, and may not be the site's any more
		}
		if i >= 0 {
			known[i] = true
		}
		found = addSite(found, s, servers, i)
	}
	for i, s := range servers {
		if !known[i] {
			found = append(found, app.Found{Kind: Kind, Name: s.Name(), Settings: reached(s)})
		}
	}
	return found[:min(len(found), discoverMost)], nil
}

// reached returns the settings that lead to a server.
func reached(s nearby.Server) map[string]string {
	if s.Host == "" {
		return map[string]string{fieldSocket: s.Socket}
	}
	return map[string]string{fieldHost: s.Host, fieldPort: strconv.Itoa(s.Port)}
}

// serverOf returns which of the servers found a site's database is on, -1 for
// none of them.
func serverOf(s nearby.Site, servers []nearby.Server) int {
	if !s.Local() {
		return -1
	}
	byPort := func(port int) int {
		return slices.IndexFunc(servers, func(o nearby.Server) bool { return o.Host != "" && o.Port == port })
	}
	switch {
	case s.Socket != "":
		if i := slices.IndexFunc(servers, func(o nearby.Server) bool { return o.Socket == s.Socket }); i >= 0 {
			return i
		}
		if len(servers) == 1 {
			return 0 // by another name of the socket
		}
		return -1
	case s.Port != 0:
		return byPort(s.Port)
	}
	if i := byPort(3306); i >= 0 {
		return i
	}
	// PHP takes "localhost" for the socket, wherever the port is.
	return slices.IndexFunc(servers, func(o nearby.Server) bool { return o.Socket != "" })
}

// addSite adds the database of a site, or names one that was found already
// after it.
func addSite(found []app.Found, s nearby.Site, servers []nearby.Server, i int) []app.Found {
	settings := map[string]string{fieldHost: s.Host, fieldPort: strconv.Itoa(s.Port)}
	if s.Port == 0 {
		settings[fieldPort] = "3306"
	}
	if i >= 0 {
		settings = reached(servers[i])
	}
	for n, f := range found {
		if f.Settings[fieldDatabase] != s.Database {
			continue
		}
		if f.Settings[fieldHost] == settings[fieldHost] && f.Settings[fieldPort] == settings[fieldPort] &&
			(settings[fieldSocket] == "" || f.Settings[fieldSocket] == settings[fieldSocket]) {
			found[n].Name, found[n].Likely = s.Name, f.Likely || s.Shop
			return found
		}
	}
	settings[fieldDatabase], settings[fieldUser] = s.Database, s.User
	if s.User == "" {
		delete(settings, fieldUser)
	}
	// Not ticked in advance, though it may well be the shop's: without its
	// password it can't be added.
	return append(found, app.Found{Kind: Kind, Name: s.Name, Settings: settings, Changed: s.Changed})
}

// list returns the databases of a server whose socket lets this account in
// without a password, nil where it doesn't. It reads only.
func (c *Connector) list(ctx context.Context, server nearby.Server) []app.Found {
	me, err := user.Current()
	if server.Socket == "" || err != nil {
		return nil
	}
	s, err := c.dial(ctx, config{host: "127.0.0.1", port: 3306, socket: server.Socket, user: me.Username, tls: tlsOff})
	if err != nil {
		return nil // most servers want a password
	}
	defer func() { c.warn("Could not close connection", s.Close()) }()
	rows, err := s.rows(ctx, `SELECT table_schema AS db, table_name AS name, COALESCE(data_length, 0) + COALESCE(index_length, 0) AS bytes
		FROM information_schema.tables
		WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
		ORDER BY table_schema`)
	if err != nil {
		c.log.InfoContext(ctx, "Databases not listed", "connector", string(Kind), "socket", server.Socket, "error", err)
		return nil
	}
	var found []app.Found
	var tables []string
	for _, r := range rows {
		name := r.str("db")
		if ours(name) || checkName(fieldDatabase, name) != nil {
			continue
		}
		if n := len(found); n == 0 || found[n-1].Name != name {
			tables = nil
			settings := reached(server)
			settings[fieldSocket], settings[fieldUser], settings[fieldDatabase] = server.Socket, me.Username, name
			found = append(found, app.Found{Kind: Kind, Name: name, Settings: settings})
		}
		f := &found[len(found)-1]
		tables = append(tables, r.str("name"))
		f.Bytes += r.int("bytes")
		f.Likely = nearby.ShopLike(tables)
	}
	return found
}

// ours reports whether a database is what a restore or a rehearsal of Kvart's
// has left or is about to remove.
func ours(name string) bool {
	return strings.HasPrefix(name, drillPrefix) || strings.HasSuffix(name, newSuffix) || strings.HasSuffix(name, oldSuffix)
}
