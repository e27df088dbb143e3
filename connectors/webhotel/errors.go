package webhotel

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/textproto"
	"os"
	"strings"
	"syscall"

	"github.com/pkg/sftp"

	"kvart/app"
)

var (
	// errCannot is what a server answers that can't do something at all.
	errCannot = errors.New("the server can't do that")
	// errCut is a transfer that ended before its end.
	errCut = errors.New("the transfer was cut off")
	// errStopped is what a test's kill looks like: nothing is cleaned up after it.
	errStopped = errors.New("stopped")
)

// fault tells what to do about an error.
type fault int

const (
	faultNone fault = iota // nothing helps
	faultLost              // connect again
	faultBusy              // wait, with fewer connections
)

// Answers of FTP servers.
const (
	ftpGoingDown  = 421
	ftpNoData     = 425
	ftpCut        = 426
	ftpBusy       = 450
	ftpTrouble    = 451
	ftpNoSpace    = 452
	ftpNotKnown   = 500
	ftpBadArg     = 501
	ftpNotDone    = 502
	ftpBadFor     = 504
	ftpNotAllowed = 530
	ftpRefused    = 550
	ftpTooLarge   = 552
	ftpBadName    = 553
)

// faultOf knows what passes.
func faultOf(err error) fault {
	var reply *textproto.Error
	var known *app.Error
	var status *sftp.StatusError
	var netErr *net.OpError
	switch {
	case err == nil, errors.As(err, new(pointError)):
		return faultNone
	case errors.As(err, &known):
		return map[app.Code]fault{app.CodeSourceOffline: faultLost, app.CodeSourceBusy: faultBusy}[known.Code]
	case errors.As(err, &reply):
		return replyFault(reply)
	case errors.As(err, &status):
		if status.Code == sftpNoConnection || status.Code == sftpConnectionLost {
			return faultLost
		}
		return faultNone
	case errors.Is(err, sftp.ErrSSHFxConnectionLost), errors.Is(err, sftp.ErrSSHFxNoConnection), errors.Is(err, errCut),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.As(err, &netErr):
		return faultLost
	}
	return faultNone
}

func replyFault(r *textproto.Error) fault {
	switch r.Code {
	case ftpGoingDown:
		if tooMany(r.Msg) {
			return faultBusy
		}
		return faultLost
	case ftpNoData, ftpCut:
		return faultLost
	case ftpBusy, ftpTrouble:
		if isMissing(r) {
			return faultNone // what some servers answer for a file that is not there
		}
		return faultBusy
	case ftpNotAllowed:
		if tooMany(r.Msg) {
			return faultBusy
		}
	}
	return faultNone
}

// tooMany knows the words for a limit of connections.
func tooMany(text string) bool {
	text = strings.ToLower(text)
	for _, part := range []string{"too many", "maximum number", "max number", "connection limit", "maximum login", "maximum allowed", "already connected", "limit reached", "try again later"} {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// Answers of newer versions of SFTP, which some servers give.
const (
	sftpNoConnection   = 6
	sftpConnectionLost = 7
	sftpNotSupported   = 8
	sftpWriteProtected = 12
	sftpNoSpace        = 14
	sftpQuotaExceeded  = 15
)

// tells reports whether the text of an error has one of the parts in it.
func tells(err error, parts ...string) bool {
	text := strings.ToLower(err.Error())
	for _, part := range parts {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

// isMissing reports that something is not there. FTP has one number for that
// and for being refused; where the words don't tell either, it counts as
// refused, so that nothing is taken for deleted that was only hidden.
func isMissing(err error) bool {
	var reply *textproto.Error
	if !errors.Is(err, fs.ErrNotExist) && errors.As(err, &reply) {
		return (reply.Code == ftpRefused || reply.Code == ftpBusy) && tells(err, "no such", "not found", "not exist", "can't find", "cannot find", "could not get file size")
	}
	return errors.Is(err, fs.ErrNotExist)
}

func isRefused(err error) bool {
	var reply *textproto.Error
	if errors.As(err, &reply) {
		return reply.Code == ftpRefused || reply.Code == ftpBadName || reply.Code == 532
	}
	var status *sftp.StatusError
	return errors.Is(err, fs.ErrPermission) || errors.As(err, &status) && status.Code == sftpWriteProtected
}

func isFull(err error) bool {
	var reply *textproto.Error
	var status *sftp.StatusError
	switch {
	case errors.As(err, &reply) && (reply.Code == ftpNoSpace || reply.Code == ftpTooLarge),
		errors.As(err, &status) && (status.Code == sftpNoSpace || status.Code == sftpQuotaExceeded),
		errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return true
	}
	return (errors.As(err, &reply) || errors.As(err, &status)) && tells(err, "no space left", "quota", "disk full", "not enough space")
}

// codeOf is the border where the network's errors get their code. It leaves an
// [app.Error] as it is.
func (c config) codeOf(ctx context.Context, op string, err error) error {
	var known *app.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.As(err, &known):
		return canceled(op, err)
	case errors.As(err, &known), errors.Is(err, errStopped):
		return err
	case faultOf(err) == faultBusy:
		return (&app.Error{Code: app.CodeSourceBusy, Op: op, Err: err}).With("where", c.address())
	case faultOf(err) == faultLost:
		return (&app.Error{Code: app.CodeSourceOffline, Op: op, Err: err}).With("where", c.address())
	case isMissing(err):
		return (&app.Error{Code: app.CodeSourceGone, Op: op, Err: err}).With("where", c.address()).With("path", c.path)
	}
	return (&app.Error{Code: app.CodeSourceUnreadable, Op: op, Err: err}).With("where", c.address()).With("path", c.path)
}

// targetCode is the same for writing.
func (c config) targetCode(ctx context.Context, op string, err error) error {
	var known *app.Error
	switch {
	case err == nil || errors.As(err, &known) || errors.Is(err, errStopped):
		return err
	case ctx.Err() != nil || faultOf(err) != faultNone:
		return c.codeOf(ctx, op, err)
	case isFull(err):
		return (&app.Error{Code: app.CodeTargetFull, Op: op, Err: err}).With("path", c.where())
	case isRefused(err), errors.As(err, new(*sftp.StatusError)):
		// SFTP has no word for most of what keeps a server from writing.
		return (&app.Error{Code: app.CodeTargetReadOnly, Op: op, Err: err}).With("path", c.where())
	}
	return &app.Error{Code: app.CodeInternal, Op: op, Err: err}
}

func canceled(op string, err error) error {
	return &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
}
