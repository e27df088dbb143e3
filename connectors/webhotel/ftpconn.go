package webhotel

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"

	"kvart/app"
)

// ftpConn is the control connection of an FTP session, and makes the session's
// data connections.
type ftpConn struct {
	cfg      config
	raw      net.Conn
	text     *textproto.Conn
	tls      *tls.Config // of this session alone; nil without
	features map[string]string
	noEPSV   bool
	dead     bool
}

// dialFTP opens a session and logs in. The password goes to nobody whose
// certificate is not right, and without TLS only where the owner said so.
func (c config) dialFTP(ctx context.Context, newest uint16) (_ *ftpConn, err error) {
	const op = "webhotel: log in"
	limited, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(limited, "tcp", c.address())
	if err != nil {
		return nil, c.unreached(limited, op, err)
	}
	f := &ftpConn{cfg: c, raw: patient{raw}, features: map[string]string{}}
	stop := context.AfterFunc(limited, func() { _ = raw.Close() })
	defer func() {
		stop()
		if err == nil {
			return
		}
		_ = raw.Close()
		if limited.Err() != nil {
			err = c.unreached(limited, op, limited.Err())
		}
	}()
	if c.protocol == protoFTPS {
		if f.tls, err = c.tlsConfig(newest); err != nil {
			return nil, err
		}
	}
	if err := f.greet(limited); err != nil {
		return nil, c.loginCode(op, err)
	}
	return f, c.loginCode(op, f.login())
}

// loginCode tells what kept a session from being opened.
func (c config) loginCode(op string, err error) error {
	var reply *textproto.Error
	var known *app.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case faultOf(err) == faultBusy:
		return (&app.Error{Code: app.CodeSourceBusy, Op: op, Err: err}).With("where", c.address())
	case faultOf(err) == faultLost:
		return (&app.Error{Code: app.CodeSourceOffline, Op: op, Err: err}).With("where", c.address())
	case errors.As(err, &reply):
		return (&app.Error{Code: app.CodeSourceDenied, Op: op, Err: err}).With("where", c.address()).With("user", c.user)
	}
	return (&app.Error{Code: app.CodeSourceOffline, Op: op, Err: err}).With("where", c.address())
}

// greet reads the welcome and begins to encrypt.
func (f *ftpConn) greet(ctx context.Context) error {
	if f.tls != nil && f.cfg.implicit {
		if err := f.encrypt(ctx); err != nil {
			return err
		}
	}
	f.text = textproto.NewConn(f.raw)
	if _, err := f.answer(220); err != nil {
		return err
	}
	if f.tls == nil || f.cfg.implicit {
		return nil
	}
	if _, err := f.cmd(234, "AUTH TLS"); err != nil {
		if faultOf(err) != faultNone {
			return err
		}
		return (&app.Error{Code: app.CodeSourcePlain, Op: "webhotel: log in", Err: err}).With("where", f.cfg.address())
	}
	if err := f.encrypt(ctx); err != nil {
		return err
	}
	f.text = textproto.NewConn(f.raw)
	return nil
}

func (f *ftpConn) encrypt(ctx context.Context) error {
	conn := tls.Client(f.raw, f.tls)
	if err := conn.HandshakeContext(ctx); err != nil {
		return certificateError(f.cfg, err)
	}
	f.raw = conn
	return nil
}

func (f *ftpConn) login() error {
	code, _, err := f.ask("USER %s", f.cfg.user)
	if err != nil {
		return err
	}
	if code == 331 {
		if _, err := f.cmd(2, "PASS %s", f.cfg.password.Reveal()); err != nil {
			return err
		}
	}
	if err := f.feat(); err != nil {
		return err
	}
	if f.tls != nil {
		for _, cmd := range []string{"PBSZ 0", "PROT P"} {
			if _, err := f.cmd(200, "%s", cmd); err != nil && faultOf(err) == faultNone {
				return (&app.Error{Code: app.CodeSourcePlain, Op: "webhotel: log in", Err: err}).With("where", f.cfg.address())
			} else if err != nil {
				return err
			}
		}
	}
	_, err = f.cmd(200, "TYPE I")
	return err
}

// feat asks what the server can do, and switches on what it is asked for.
func (f *ftpConn) feat() error {
	code, msg, err := f.reply("FEAT")
	if err != nil {
		return err
	}
	if code != 211 {
		return nil
	}
	for line := range strings.Lines(msg) {
		name, about, _ := strings.Cut(strings.TrimSpace(line), " ")
		f.features[strings.ToUpper(name)] = about
	}
	if f.can("UTF8") {
		if _, _, err := f.reply("OPTS UTF8 ON"); err != nil {
			return err
		}
	}
	if facts := f.features["MLST"]; facts != "" {
		_, _, err = f.reply("OPTS MLST %s", strings.ReplaceAll(facts, "*", ""))
	}
	return err
}

func (f *ftpConn) can(feature string) bool {
	_, ok := f.features[feature]
	return ok
}

// reply sends a command and returns whatever is answered.
func (f *ftpConn) reply(format string, args ...any) (code int, msg string, err error) {
	line := fmt.Sprintf(format, args...)
	if strings.ContainsAny(line, "\r\n\x00") {
		return 0, "", &textproto.Error{Code: ftpBadName, Msg: "a name of several lines"}
	}
	if _, err := f.text.Cmd("%s", line); err != nil {
		f.dead = true
		return 0, "", err
	}
	return f.read()
}

func (f *ftpConn) read() (code int, msg string, err error) {
	code, msg, err = f.text.ReadResponse(0)
	if err != nil || code == ftpGoingDown {
		f.dead = true
	}
	return code, msg, err
}

// ask is reply for what must not fail.
func (f *ftpConn) ask(format string, args ...any) (code int, msg string, err error) {
	code, msg, err = f.reply(format, args...)
	if err == nil && code >= 400 {
		err = &textproto.Error{Code: code, Msg: msg}
	}
	return code, msg, err
}

// cmd sends a command and expects an answer of that number, or that begins
// with that digit.
func (f *ftpConn) cmd(want int, format string, args ...any) (string, error) {
	code, msg, err := f.reply(format, args...)
	return msg, expected(want, code, msg, err)
}

func (f *ftpConn) answer(want int) (string, error) {
	code, msg, err := f.read()
	return msg, expected(want, code, msg, err)
}

func expected(want, code int, msg string, err error) error {
	if err == nil && code != want && (want > 9 || code/100 != want) {
		return &textproto.Error{Code: code, Msg: msg}
	}
	return err
}

// port asks where the data connection goes. The address a server tells is not
// believed: it is the server's own, seen from behind its router, or somebody
// else's.
func (f *ftpConn) port() (int, error) {
	if !f.noEPSV {
		msg, err := f.cmd(229, "EPSV")
		if err == nil {
			_, rest, _ := strings.Cut(msg, "|||")
			number, _, _ := strings.Cut(rest, "|")
			return strconv.Atoi(number)
		}
		if faultOf(err) != faultNone {
			return 0, err
		}
		f.noEPSV = true
	}
	msg, err := f.cmd(227, "PASV")
	if err != nil {
		return 0, err
	}
	from := strings.IndexAny(msg, "0123456789")
	if from < 0 {
		return 0, fmt.Errorf("not a passive address: %q", msg)
	}
	numbers := strings.Split(strings.TrimRight(msg[from:], "). "), ",")
	if len(numbers) != 6 {
		return 0, fmt.Errorf("not a passive address: %q", msg)
	}
	high, err := strconv.ParseUint(strings.TrimSpace(numbers[4]), 10, 8)
	if err != nil {
		return 0, fmt.Errorf("not a passive address: %q", msg)
	}
	low, err := strconv.ParseUint(strings.TrimSpace(numbers[5]), 10, 8)
	return int(high)<<8 | int(low), err
}

// data opens a data connection for a command.
func (f *ftpConn) data(ctx context.Context, from int64, format string, args ...any) (net.Conn, error) {
	port, err := f.port()
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(f.raw.RemoteAddr().String())
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, dialLimit)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(limited, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		f.dead = true // the server waits for a connection that doesn't come
		return nil, err
	}
	conn, err := f.begin(limited, patient{raw}, from, format, args...)
	if err != nil {
		_ = raw.Close()
	}
	return conn, err
}

func (f *ftpConn) begin(ctx context.Context, conn net.Conn, from int64, format string, args ...any) (net.Conn, error) {
	if from > 0 {
		if _, err := f.cmd(350, "REST %d", from); err != nil {
			return nil, err
		}
	}
	if _, err := f.cmd(1, format, args...); err != nil {
		return nil, err
	}
	if f.tls == nil {
		return conn, nil
	}
	secure := tls.Client(conn, f.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		f.dead = true
		return nil, errors.Join(errNoTLSData, certificateError(f.cfg, err))
	}
	return secure, nil
}

// errNoTLSData is a data connection that could not be encrypted.
var errNoTLSData = errors.New("encrypt data connection")

// end reads the answer that follows a transfer.
func (f *ftpConn) end() error {
	code, msg, err := f.read()
	switch {
	case err != nil:
		return err
	case code/100 != 2:
		return &textproto.Error{Code: code, Msg: msg}
	case tells(errors.New(msg), "fail"):
		// Such as "Transfer done (but failed to open directory)."
		return &textproto.Error{Code: ftpRefused, Msg: msg}
	}
	return nil
}

// transfer runs fn over a data connection and waits until the server has
// acknowledged the end.
func (f *ftpConn) transfer(ctx context.Context, fn func(net.Conn) error, format string, args ...any) error {
	conn, err := f.data(ctx, 0, format, args...)
	if err != nil {
		return err
	}
	err = fn(conn)
	if e := conn.Close(); err == nil && !errors.Is(e, net.ErrClosed) && !errors.Is(e, io.EOF) {
		err = e
	}
	endErr := f.end()
	if endErr != nil {
		return errors.Join(endErr, err)
	}
	return err
}
