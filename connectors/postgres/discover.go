package postgres

import (
	"cmp"
	"context"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

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
// computer whose socket lets this account in without a password, each with a
// table in it; other servers are found by their host and port alone.
func (c *Connector) Discover(ctx context.Context) ([]app.Found, error) {
	return c.discover(ctx, nearby.New())
}

func (c *Connector) discover(ctx context.Context, f nearby.Finder) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	servers := f.Servers(ctx, nearby.Postgres)
	lists := make([][]app.Found, len(servers))
	var wg sync.WaitGroup
	for i, s := range servers {
		wg.Go(func() { lists[i] = c.found(ctx, s) })
	}
	wg.Wait()
	var found []app.Found
	for _, l := range lists {
		found = append(found, l...)
	}
	return found[:min(len(found), discoverMost)], nil
}

// found returns the databases of a server, or the server itself when it tells
// of none.
func (c *Connector) found(ctx context.Context, s nearby.Server) []app.Found {
	if s.Socket != "" {
		list, version := c.list(ctx, s)
		if len(list) > 0 {
			return list
		}
		s.Version = cmp.Or(version, s.Version)
	}
	f := app.Found{Kind: Kind, Name: s.Name(), Settings: map[string]string{fieldHost: s.Host, fieldPort: strconv.Itoa(s.Port)}}
	if s.Host == "" {
		f.Settings = bySocket(s)
	}
	return []app.Found{f}
}

// bySocket returns the settings that lead to a server by its socket.
func bySocket(s nearby.Server) map[string]string {
	port := strings.TrimPrefix(filepath.Base(s.Socket), ".s.PGSQL.")
	return map[string]string{fieldSocket: filepath.Dir(s.Socket), fieldPort: port}
}

// list returns the databases of a server whose socket lets this account in
// without a password, and the server's version. It reads only.
func (c *Connector) list(ctx context.Context, server nearby.Server) (found []app.Found, version string) {
	me, err := user.Current()
	if err != nil {
		return nil, ""
	}
	at := bySocket(server)
	port, err := strconv.Atoi(at[fieldPort])
	if err != nil {
		return nil, ""
	}
	l := &link{c: c, settings: settings{host: defaultHost, socket: at[fieldSocket], port: port, user: me.Username, tls: tlsPrefer}}
	conn, err := l.maintain(ctx)
	if err != nil {
		return nil, "" // most servers know no such user, or want a password
	}
	defer l.let(ctx, conn)
	_, version = major(conn)
	rows, err := conn.Query(ctx, `SELECT datname::text FROM pg_catalog.pg_database
		WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT') ORDER BY 1`)
	if err != nil {
		return nil, version
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, version
	}
	for _, name := range all {
		if ctx.Err() != nil || len(found) >= discoverMost {
			break
		}
		tables, size, err := l.look(ctx, name)
		if err != nil || len(tables) == 0 || ours(name) {
			continue // dropped meanwhile, or nothing in it
		}
		settings := bySocket(server)
		if server.Host != "" {
			settings[fieldHost] = server.Host // the socket comes first
		}
		settings[fieldUser], settings[fieldDatabase] = me.Username, name
		found = append(found, app.Found{Kind: Kind, Name: name, Settings: settings, Bytes: size, Likely: nearby.ShopLike(tables)})
	}
	return found, version
}

// ours reports whether a database is what a restore or a rehearsal of Kvart's
// has left or is about to remove.
func ours(name string) bool {
	return strings.HasPrefix(name, drillPrefix) || strings.HasSuffix(name, suffixNew) || strings.HasSuffix(name, suffixOld)
}

// look lists the tables of one database and measures it.
func (l *link) look(ctx context.Context, database string) (tables []string, size int64, err error) {
	conn, err := l.connect(ctx, database)
	if err != nil {
		return nil, 0, err
	}
	defer l.let(ctx, conn)
	rows, err := conn.Query(ctx, `SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' ORDER BY 1`)
	if err != nil {
		return nil, 0, err
	}
	if tables, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return nil, 0, err
	}
	err = conn.QueryRow(ctx, `SELECT pg_catalog.pg_database_size(pg_catalog.current_database())`).Scan(&size)
	return tables, size, err
}
