package webhotel

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/textproto"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// ftpAtOnce is how many connections are used at once: web hotels allow few.
	ftpAtOnce = 3
	// mostListing bounds what a server may send as one folder's listing.
	mostListing = 64 << 20
)

// ftpServer is what was learnt about a server, by all links to it.
type ftpServer struct {
	cfg config

	mu      sync.Mutex
	newest  uint16 // version of TLS, 0 for the newest there is
	learnt  bool
	list    string // the command that lists everything
	dots    bool   // its answer names the folder itself
	zone    *time.Duration
	noChmod bool
	noTime  bool
}

func (s *ftpServer) tlsNewest() uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newest
}

// ftpLink is a session. It is not safe for concurrent use.
type ftpLink struct {
	*ftpConn
	s    *ftpServer
	root string
	cwd  string
}

var _ link = (*ftpLink)(nil)

func (s *ftpServer) dial(ctx context.Context) (link, error) {
	conn, err := s.cfg.dialFTP(ctx, s.tlsNewest())
	if err != nil {
		return nil, err
	}
	l := &ftpLink{ftpConn: conn, s: s, root: s.cfg.path}
	if path.IsAbs(l.root) {
		return l, nil
	}
	defer l.within(ctx)()
	msg, err := l.cmd(257, "PWD")
	if err != nil {
		l.Close()
		return nil, err
	}
	_, home, _ := strings.Cut(msg, `"`)
	if end := strings.LastIndex(home, `"`); end >= 0 {
		l.root = path.Join("/", strings.ReplaceAll(home[:end], `""`, `"`), l.root)
	}
	return l, nil
}

// Close ends the session. How it ends tells nothing.
func (l *ftpLink) Close() {
	l.dead = true
	_ = l.raw.Close()
}

func (l *ftpLink) broken() bool { return l.dead }

func (l *ftpLink) at(p string) string { return path.Join(l.root, toServer(p)) }

// within ends the session when ctx ends before what is under way does.
func (l *ftpLink) within(ctx context.Context) func() bool {
	raw := l.raw
	return context.AfterFunc(ctx, func() { _ = raw.Close() })
}

func (l *ftpLink) list(ctx context.Context, dir string) ([]entry, error) {
	defer l.within(ctx)()
	if err := l.learn(ctx); err != nil {
		return nil, err
	}
	if err := l.enter(l.at(dir)); err != nil && dir == "" {
		l.s.mu.Lock()
		defer l.s.mu.Unlock()
		return nil, l.rootGone(ctx, err)
	} else if err != nil {
		return nil, err
	}
	l.s.mu.Lock()
	command, dots := l.s.list, l.s.dots
	l.s.mu.Unlock()
	found, err := l.listHere(ctx, command)
	if err != nil {
		return nil, err
	}
	if dots && !found.self {
		return nil, &textproto.Error{Code: ftpRefused, Msg: "an empty answer"}
	}
	return l.finish(ctx, found)
}

func (l *ftpLink) enter(dir string) error {
	if l.cwd == dir {
		return nil
	}
	l.cwd = ""
	if _, err := l.cmd(2, "CWD %s", dir); err != nil {
		return err
	}
	l.cwd = dir
	return nil
}

// rootGone tells a site's folder that is not there from one that is closed,
// which servers answer alike: by the folder it should lie in. The caller holds
// the server's lock.
func (l *ftpLink) rootGone(ctx context.Context, err error) error {
	if faultOf(err) != faultNone || l.root == "/" || l.enter(path.Dir(l.root)) != nil {
		return err
	}
	up, listErr := l.listHereLocked(ctx, commandAll)
	if listErr != nil || slices.ContainsFunc(up.list, func(e entry) bool { return toServer(e.path) == path.Base(l.root) }) {
		return err
	}
	return errors.Join(fs.ErrNotExist, err)
}

// listHere lists the folder the session is in: in the argument of LIST servers
// look for wildcards and options.
func (l *ftpLink) listHere(ctx context.Context, command string) (listing, error) {
	var raw []byte
	err := l.transfer(ctx, func(c net.Conn) (err error) {
		if raw, err = io.ReadAll(io.LimitReader(c, mostListing)); err == nil && len(raw) == mostListing {
			err = errors.New("a listing without end")
		}
		return err
	}, "%s", command)
	if errors.Is(err, errNoTLSData) {
		// Some servers can't go on with a session of the newest TLS.
		l.s.mu.Lock()
		l.s.newest = tls.VersionTLS12
		l.s.mu.Unlock()
		err = errors.Join(errCut, err)
	}
	if err != nil {
		return listing{}, err
	}
	return readListing(raw, command == commandMLSD, time.Now()), nil
}

const (
	commandMLSD = "MLSD"
	commandAll  = "LIST -a"
	commandList = "LIST"
)

// learn finds the command that shows everything, once for a server. MLSD has
// the exact times, but some servers leave out of it what begins with a dot, and
// some take "-a" for a file's name.
func (l *ftpLink) learn(ctx context.Context) error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.s.learnt {
		return nil
	}
	if err := l.enter(l.root); err != nil {
		return l.rootGone(ctx, err)
	}
	all, err := l.listHereLocked(ctx, commandAll)
	if err != nil && faultOf(err) != faultNone {
		return err
	}
	best := commandAll
	if err != nil || len(all.list) == 0 {
		plain, err := l.listHereLocked(ctx, commandList)
		if err != nil {
			return err
		}
		if len(plain.list) > len(all.list) || !all.self {
			best, all = commandList, plain
		}
	}
	if l.can("MLST") {
		exact, err := l.listHereLocked(ctx, commandMLSD)
		if err != nil && faultOf(err) != faultNone {
			return err
		}
		if err == nil && len(exact.list) >= len(all.list) {
			best = commandMLSD
		}
	}
	l.s.list, l.s.dots, l.s.learnt = best, best == commandAll && all.self, true
	return nil
}

// listHereLocked is listHere for who holds the server's lock.
func (l *ftpLink) listHereLocked(ctx context.Context, command string) (listing, error) {
	l.s.mu.Unlock()
	defer l.s.mu.Lock()
	return l.listHere(ctx, command)
}

// finish makes entries whole that the listing has not all of: where links lead,
// and how far the server's clock is from the world's.
func (l *ftpLink) finish(ctx context.Context, found listing) ([]entry, error) {
	if found.linkless {
		more, err := l.listHere(ctx, commandAll)
		if err != nil && faultOf(err) != faultNone {
			return nil, err
		}
		found.adopt(more)
	}
	for i := range found.list {
		e := &found.list[i]
		if e.grain <= time.Second {
			continue
		}
		zone, err := l.zone(found.list)
		if err != nil {
			return nil, err
		}
		if zone != nil {
			e.shift, e.slack = *zone, clockSlack
		}
	}
	return found.list, nil
}

// zone finds out how far the times of LIST are ahead of the world's, by the
// newest file; nil when the server doesn't tell.
func (l *ftpLink) zone(list []entry) (*time.Duration, error) {
	l.s.mu.Lock()
	zone := l.s.zone
	l.s.mu.Unlock()
	if zone != nil || !l.can("MDTM") {
		return zone, nil
	}
	var newest *entry
	for i, e := range list {
		if e.regular() && e.grain == time.Minute && (newest == nil || e.mtime.After(newest.mtime)) {
			newest = &list[i]
		}
	}
	if newest == nil {
		return nil, nil
	}
	exact, err := l.mdtm(path.Join(l.cwd, toServer(newest.path)))
	if err != nil {
		if faultOf(err) == faultNone {
			err = nil
		}
		return nil, err
	}
	ahead := newest.mtime.Sub(exact).Round(15 * time.Minute)
	l.s.mu.Lock()
	l.s.zone = &ahead
	l.s.mu.Unlock()
	return &ahead, nil
}

func (l *ftpLink) mdtm(at string) (time.Time, error) {
	msg, err := l.cmd(213, "MDTM %s", at)
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(factTime, strings.TrimSpace(msg))
}
