package webhotel

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/tunnel"
)

// Folders of a point.
const (
	filesDir    = "files"
	databaseDir = "database"
)

// statPrefix begins the database's own counts.
const statPrefix = databaseDir + "."

// Fields that mysql and its tunnel know under other names than this form does.
const (
	innerHost     = "host"
	innerPort     = "port"
	innerUser     = "user"
	innerPassword = "password"
	innerDatabase = "database"
	innerSocket   = "socket"
)

// opened is a site that is being worked with.
type opened struct {
	cfg  config
	pool *pool
}

func (c *Connector) open(a app.Access) (opened, error) {
	cfg, err := readConfig(a)
	if err != nil {
		return opened{}, err
	}
	if cfg.protocol == protoSFTP {
		return opened{cfg, newPool(seen(cfg.dialSFTP), true, sftpAtOnce, c.pace)}, nil
	}
	server := &ftpServer{cfg: cfg}
	return opened{cfg, newPool(seen(server.dial), false, ftpAtOnce, c.pace)}, nil
}

// readFile reads a small file of the site.
func (o opened) readFile(ctx context.Context, p string) (text []byte, err error) {
	err = o.pool.do(ctx, func(l link) (err error) {
		s, err := l.open(ctx, entry{path: p, size: mostConfig}, 0)
		if err != nil {
			return err
		}
		text, err = io.ReadAll(io.LimitReader(s, mostConfig))
		return errors.Join(err, s.Close())
	})
	return text, err
}

// siteLogin reads the database's log-in from the site itself.
func (o opened) siteLogin(ctx context.Context) (login, error) {
	here, err := o.names(ctx, "")
	if err != nil {
		return login{}, err
	}
	return findLogin(func(p string) ([]byte, error) {
		top, _, nested := strings.Cut(p, "/")
		switch {
		case top == "..":
			// As WordPress does: one of its own above means another site.
			above, err := o.names(ctx, "..")
			if err != nil || !here["wp-load.php"] || above["wp-settings.php"] {
				return nil, fs.ErrNotExist
			}
		case !here[top]:
			return nil, fs.ErrNotExist
		}
		text, err := o.readFile(ctx, p)
		if err != nil && !nested {
			// It is there. To go on looking could end at another site's.
			return nil, (&app.Error{Code: app.CodeSourceUnreadable, Op: "webhotel: read configuration", Err: err}).With("where", o.cfg.address()).With("path", p)
		}
		return text, err
	}, func(err error) bool {
		// Which of both it is FTP doesn't always tell.
		return !errors.As(err, new(*app.Error)) && (isMissing(err) || isRefused(err))
	})
}

// names returns what is in a folder.
func (o opened) names(ctx context.Context, dir string) (map[string]bool, error) {
	names := map[string]bool{}
	err := o.pool.do(ctx, func(l link) error {
		list, err := l.list(ctx, dir)
		for _, e := range list {
			names[e.path] = true
		}
		return err
	})
	if dir == "" && missingRoot(err) {
		return nil, errNoSite
	}
	return names, err
}

// pointLogin reads it from a point.
func pointLogin(from fs.FS) (login, error) {
	return findLogin(func(p string) ([]byte, error) {
		if !fs.ValidPath(p) {
			return nil, fs.ErrNotExist
		}
		return fs.ReadFile(from, filesDir+"/"+p)
	}, func(err error) bool { return errors.Is(err, fs.ErrNotExist) })
}

// hasDatabase reports whether a database belongs to the source.
func hasDatabase(a app.Access) bool {
	s := a.Source.Settings
	return s[fieldDB] == dbAuto || s[fieldDBName] != ""
}

// database returns the access to the site's database as its own connector
// knows it.
func (c *Connector) database(ctx context.Context, a app.Access, o opened) (app.Access, error) {
	l := manualLogin(a)
	if a.Source.Settings[fieldDB] == dbAuto {
		var err error
		if l, err = o.siteLogin(ctx); errors.Is(err, errNoSite) {
			return app.Access{}, app.Errorf(app.CodeSourceGone, "webhotel: find database", "%s: %w", o.cfg.where(), err).
				With("where", o.cfg.address()).With("path", "wp-config.php")
		} else if err != nil {
			return app.Access{}, o.cfg.codeOf(ctx, "webhotel: find database", err)
		}
	}
	return c.inner(a, o.cfg, l)
}

// databaseFor is database for a restore: of a site whose configuration is gone
// too the point tells it.
func (c *Connector) databaseFor(ctx context.Context, a app.Access, o opened, from fs.FS) (app.Access, error) {
	inner, err := c.database(ctx, a, o)
	if code := app.CodeOf(err); err == nil || code != app.CodeSourceGone && code != app.CodeUsage || a.Source.Settings[fieldDB] != dbAuto {
		return inner, err
	}
	c.mu.Lock()
	known, ok := c.known[a.Source.ID]
	c.mu.Unlock()
	if from != nil {
		found, pointErr := pointLogin(from)
		if pointErr == nil {
			known, ok = found, true
			c.mu.Lock()
			c.known[a.Source.ID] = found // what is there now has to be saved with it, before anything is restored
			c.mu.Unlock()
		}
	}
	if !ok {
		return inner, err
	}
	return c.inner(a, o.cfg, known)
}

func manualLogin(a app.Access) login {
	s := a.Source.Settings
	l := login{name: s[fieldDBName], user: s[fieldDBUser], password: a.Secrets[fieldDBPassword]}
	l.setHost(strings.TrimSpace(s[fieldDBHost]))
	if s[fieldDBPort] != "" {
		l.port = s[fieldDBPort]
	}
	return l
}

// inner makes the access of the database's own connector.
func (c *Connector) inner(a app.Access, cfg config, l login) (app.Access, error) {
	in := app.Access{
		Source: app.Source{ID: a.Source.ID, Name: a.Source.Name, Kind: c.db.Spec().Kind, AddedAt: a.Source.AddedAt, Settings: map[string]string{
			innerHost: l.host, innerUser: l.user, innerDatabase: l.name,
		}},
		Secrets: app.Secrets{innerPassword: l.password},
	}
	for key, value := range map[string]string{innerPort: l.port, innerSocket: l.socket} {
		if value != "" {
			in.Source.Settings[key] = value
		}
	}
	s := a.Source.Settings
	switch {
	case s[fieldDBReach] == reachDirect:
	case s[tunnel.FieldHost] != "":
		for _, f := range tunnel.Fields() {
			if f.Type == app.FieldSecret {
				in.Secrets[f.Key] = a.Secrets[f.Key]
			} else if s[f.Key] != "" {
				in.Source.Settings[f.Key] = s[f.Key]
			}
		}
		return in, nil
	case cfg.protocol == protoSFTP:
		c.ownTunnel(a, cfg, in)
		return in, nil
	}
	if isLoopback(l) && !isLoopback(login{host: cfg.host}) {
		return in, app.Errorf(app.CodeUsage, "webhotel: find database", "the database at %q is only to be reached from the web hotel itself, by SSH", l.host).
			With("field", tunnel.FieldHost)
	}
	return in, nil
}

// ownTunnel reaches the database with the log-in that the site's files are read
// with.
func (c *Connector) ownTunnel(a app.Access, cfg config, in app.Access) {
	set := in.Source.Settings
	set[tunnel.FieldHost], set[tunnel.FieldPort], set[tunnel.FieldUser] = cfg.host, cfg.port, cfg.user
	if key := a.Source.Settings[fieldHostKey]; key != "" {
		set[tunnel.FieldHostKey] = key
	}
	in.Secrets[tunnel.FieldKey], in.Secrets[tunnel.FieldPassword] = a.Secrets[fieldKey], a.Secrets[fieldPassword]
	if pass := a.Secrets[fieldKeyPassphrase]; !pass.IsZero() && !a.Secrets[fieldKey].IsZero() {
		in.Secrets[tunnel.FieldPassword] = pass
	}
}

func isLoopback(l login) bool {
	ip := net.ParseIP(l.host)
	return l.socket != "" || strings.EqualFold(l.host, "localhost") || ip != nil && ip.IsLoopback()
}

// innerError names the form's own fields in an error of the database's
// connector.
func innerError(err error) error {
	var known *app.Error
	if !errors.As(err, &known) || known.Args["field"] == "" {
		return err
	}
	names := map[string]string{innerHost: fieldDBHost, innerPort: fieldDBPort, innerUser: fieldDBUser, innerPassword: fieldDBPassword, innerDatabase: fieldDBName}
	if own, ok := names[known.Args["field"]]; ok {
		return app.Errorf(known.Code, known.Op, "%w", known.Err).With("field", own)
	}
	return err
}

// innerStats are the database's own counts among a point's.
func innerStats(stats app.Stats) app.Stats {
	if stats == nil {
		return nil
	}
	out := app.Stats{}
	for key, n := range stats {
		if own, ok := strings.CutPrefix(key, statPrefix); ok {
			out[own] = n
		}
	}
	return out
}

// part is one folder of a point as a point of its own. It may be missing: then
// it holds nothing.
type part struct {
	from fs.FS
	dir  string
}

var (
	_ fs.ReadDirFS  = part{}
	_ fs.StatFS     = part{}
	_ fs.ReadLinkFS = part{}
)

func (p part) at(name string) string {
	if name == "." {
		return p.dir
	}
	return p.dir + "/" + name
}

func (p part) check(op, name string) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}

// Open implements [fs.FS].
func (p part) Open(name string) (fs.File, error) {
	if err := p.check("open", name); err != nil {
		return nil, err
	}
	return p.from.Open(p.at(name))
}

// ReadDir implements [fs.ReadDirFS].
func (p part) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := p.check("readdir", name); err != nil {
		return nil, err
	}
	return fs.ReadDir(p.from, p.at(name))
}

// Stat implements [fs.StatFS].
func (p part) Stat(name string) (fs.FileInfo, error) {
	if err := p.check("stat", name); err != nil {
		return nil, err
	}
	return fs.Stat(p.from, p.at(name))
}

// Lstat implements [fs.ReadLinkFS].
func (p part) Lstat(name string) (fs.FileInfo, error) {
	if err := p.check("lstat", name); err != nil {
		return nil, err
	}
	return fs.Lstat(p.from, p.at(name))
}

// ReadLink implements [fs.ReadLinkFS].
func (p part) ReadLink(name string) (string, error) {
	if err := p.check("readlink", name); err != nil {
		return "", err
	}
	return fs.ReadLink(p.from, p.at(name))
}
