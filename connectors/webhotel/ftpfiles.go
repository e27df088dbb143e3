package webhotel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"path"
	"strconv"
	"strings"
	"time"
)

// stat looks at a file by its size and exact time.
func (l *ftpLink) stat(ctx context.Context, p string) (entry, error) {
	defer l.within(ctx)()
	e := entry{path: path.Base(p)}
	msg, err := l.cmd(213, "SIZE %s", l.at(p))
	if err != nil {
		return e, unknown(err)
	}
	if e.size, err = strconv.ParseInt(strings.TrimSpace(msg), 10, 64); err != nil {
		return e, fmt.Errorf("size of %s: %w", p, err)
	}
	if !l.can("MDTM") {
		return e, nil
	}
	if e.mtime, err = l.mdtm(l.at(p)); err != nil {
		return e, unknown(err)
	}
	e.grain = time.Second
	return e, nil
}

// unknown makes errCannot of the answer to a command the server has not.
func unknown(err error) error {
	var reply *textproto.Error
	if errors.As(err, &reply) && (reply.Code == ftpNotKnown || reply.Code == ftpNotDone || reply.Code == ftpBadFor || reply.Code == 202) {
		return errors.Join(errCannot, err)
	}
	return err
}

func (l *ftpLink) open(ctx context.Context, e entry, from int64) (stream, error) {
	at := l.at(e.path)
	defer l.within(ctx)()
	conn, err := l.data(ctx, from, "RETR %s", at)
	skip := int64(0)
	if err != nil && from > 0 && errors.Is(unknown(err), errCannot) && !l.dead {
		skip = from // no REST: read it from the beginning
		conn, err = l.data(ctx, 0, "RETR %s", at)
	}
	if err != nil {
		return nil, err
	}
	s := &ftpStream{l: l, conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	if _, err := io.CopyN(io.Discard, s, skip); err != nil {
		return nil, errors.Join(errCut, err, s.Close())
	}
	return s, nil
}

// ftpStream ends well only when the server says that it sent everything.
type ftpStream struct {
	l    *ftpLink
	conn net.Conn
	stop func() bool
	over bool
}

func (s *ftpStream) Read(b []byte) (int, error) {
	if s.over {
		return 0, io.EOF
	}
	n, err := s.conn.Read(b)
	if err == nil {
		return n, nil
	}
	if !errors.Is(err, io.EOF) {
		s.l.dead = true
		return n, errors.Join(errCut, err)
	}
	s.over = true
	_ = s.conn.Close() // some servers wait for that before they say how it went
	if err := s.l.end(); err != nil {
		s.l.dead = true
		return n, errors.Join(errCut, err)
	}
	return n, io.EOF
}

// Close ends the reading. A session whose file was not read to the end is not
// used again: what the server says about it comes when it likes.
func (s *ftpStream) Close() error {
	s.stop()
	if !s.over {
		s.l.dead = true
	}
	_ = s.conn.Close() // it may be closed already
	return nil
}

func (l *ftpLink) write(ctx context.Context, p string, r io.Reader) error {
	defer l.within(ctx)()
	return l.transfer(ctx, func(c net.Conn) error {
		if _, err := io.Copy(c, r); err != nil {
			return err
		}
		return farewell(c)
	}, "STOR %s", l.at(p))
}

// farewell ends an upload so that the server gets all of it. A connection that
// is closed with something unread on it, such as the tickets of TLS 1.3, is
// reset, and what the server had not read yet is lost.
func farewell(c net.Conn) error {
	secure, ok := c.(*tls.Conn)
	if !ok {
		return nil
	}
	if err := secure.CloseWrite(); err != nil {
		return err
	}
	if p, ok := secure.NetConn().(patient); ok {
		if half, ok := p.Conn.(interface{ CloseWrite() error }); ok {
			if err := half.CloseWrite(); err != nil {
				return err
			}
		}
	}
	enough := time.AfterFunc(dialLimit, func() { _ = secure.NetConn().Close() })
	defer enough.Stop()
	_, _ = io.Copy(io.Discard, secure) // how it went the server's answer tells
	return nil
}

func (l *ftpLink) rename(ctx context.Context, from, to string) error {
	defer l.within(ctx)()
	move := func() error {
		if _, err := l.cmd(350, "RNFR %s", l.at(from)); err != nil {
			return err
		}
		_, err := l.cmd(2, "RNTO %s", l.at(to))
		return err
	}
	err := move()
	if err == nil || faultOf(err) != faultNone {
		return err
	}
	// Servers on Windows replace nothing.
	if _, gone := l.cmd(2, "DELE %s", l.at(to)); gone != nil {
		return err
	}
	return move()
}

func (l *ftpLink) remove(ctx context.Context, p string, dir bool) error {
	defer l.within(ctx)()
	command := "DELE"
	if dir {
		command = "RMD"
		l.cwd = ""
	}
	_, err := l.cmd(2, "%s %s", command, l.at(p))
	return err
}

func (l *ftpLink) mkdir(ctx context.Context, p string) error {
	defer l.within(ctx)()
	_, err := l.cmd(2, "MKD %s", l.at(p))
	return err
}

// symlink has no command of its own; ProFTPD has one of its own making, which
// takes no names with spaces.
func (l *ftpLink) symlink(ctx context.Context, to, p string) error {
	defer l.within(ctx)()
	if strings.Contains(to+p, " ") {
		return errCannot
	}
	_, err := l.cmd(2, "SITE SYMLINK %s %s", toServer(to), l.at(p))
	if err != nil && faultOf(err) == faultNone {
		return errors.Join(errCannot, err)
	}
	return err
}

// settle sets what the server lets it. Commands it has not are asked for once.
func (l *ftpLink) settle(ctx context.Context, e entry, p string) error {
	defer l.within(ctx)()
	var cannot error
	l.s.mu.Lock()
	noChmod, noTime, zone := l.s.noChmod, l.s.noTime, l.s.zone
	l.s.mu.Unlock()
	if !noChmod {
		_, err := l.cmd(2, "SITE CHMOD %03o %s", e.mode.Perm(), l.at(p))
		if faultOf(err) != faultNone {
			return err
		}
		cannot = errors.Join(cannot, err)
		noChmod = errors.Is(unknown(err), errCannot)
	}
	if !noTime && !e.mode.IsDir() {
		at := e.mtime
		if zone != nil && l.s.minutes() {
			at = at.Add(-*zone)
		}
		command := "MDTM" // vsftpd's
		if l.can("MFMT") {
			command = "MFMT"
		}
		_, err := l.cmd(2, "%s %s %s", command, at.UTC().Format(factTime), l.at(p))
		if faultOf(err) != faultNone {
			return err
		}
		cannot = errors.Join(cannot, err)
		noTime = errors.Is(unknown(err), errCannot)
	}
	l.s.mu.Lock()
	l.s.noChmod, l.s.noTime = noChmod, noTime
	l.s.mu.Unlock()
	if cannot != nil || noChmod || noTime {
		return errors.Join(errCannot, cannot)
	}
	return nil
}

// minutes reports whether the server's listings are in its own time.
func (s *ftpServer) minutes() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list != commandMLSD
}

func (l *ftpLink) free(context.Context) int64 { return -1 }
