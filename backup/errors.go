package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"syscall"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"
	"github.com/minio/minio-go/v7"

	"kvart/app"
)

// translate is the border at which errors of Kopia, of S3 and of the system
// become Kvart's. An error that already has a code keeps it.
func translate(op string, err error) error {
	if err == nil {
		return nil
	}
	var known *app.Error
	if errors.As(err, &known) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &app.Error{Code: codeOf(err), Op: op, Err: err}
}

func codeOf(err error) app.Code {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return app.CodeCanceled
	case errors.Is(err, repo.ErrInvalidPassword):
		return app.CodeWrongPassphrase
	case errors.Is(err, repo.ErrRepositoryNotInitialized):
		return app.CodeVaultMissing
	case errors.Is(err, repo.ErrAlreadyInitialized):
		return app.CodeVaultExists
	case errors.Is(err, repo.ErrRepositoryUnavailableDueToUpgradeInProgress):
		return app.CodeBusy
	case errors.Is(err, blob.ErrInvalidCredentials):
		return app.CodeStorageDenied
	}
	if c := codeOfS3(err); c != "" {
		return c
	}
	if c := codeOfSystem(err); c != "" {
		return c
	}
	switch {
	case errors.Is(err, blob.ErrBlobNotFound), errors.Is(err, object.ErrObjectNotFound), errors.Is(err, content.ErrContentNotFound):
		return app.CodeVaultDamaged
	}
	return codeOfText(err.Error())
}

func codeOfS3(err error) app.Code {
	var r minio.ErrorResponse
	if !errors.As(err, &r) {
		return ""
	}
	switch r.Code {
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccountProblem", "AllAccessDisabled", "ExpiredToken", "InvalidToken":
		return app.CodeStorageDenied
	case "RequestTimeTooSkewed", "RequestExpired":
		return app.CodeStorageClock
	case "NoSuchBucket", "InvalidBucketName":
		return app.CodeStorageGone
	case "QuotaExceeded", "XMinioStorageFull", "XAmzStorageFull", "InsufficientStorage", "XMinioAdminBucketQuotaExceeded":
		return app.CodeStorageFull
	case "SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout":
		return app.CodeStorageOffline
	}
	switch {
	case r.StatusCode == 401, r.StatusCode == 403:
		return app.CodeStorageDenied
	case r.StatusCode == 507:
		return app.CodeStorageFull
	case r.StatusCode >= 500:
		return app.CodeStorageOffline
	}
	return ""
}

func codeOfSystem(err error) app.Code {
	var (
		dns *net.DNSError
		op  *net.OpError
		ue  *url.Error
		tmo net.Error
	)
	switch {
	case isFull(err):
		return app.CodeStorageFull
	case isReadOnly(err):
		return app.CodeStorageReadOnly
	case errors.As(err, &dns), errors.As(err, &op), errors.As(err, &ue),
		errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET),
		errors.As(err, &tmo) && tmo.Timeout():
		return app.CodeStorageOffline
	case errors.Is(err, fs.ErrPermission):
		return app.CodeStorageDenied
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.EIO), errors.Is(err, syscall.ENOTDIR):
		return app.CodeStorageGone
	}
	return ""
}

// codeOfText knows the failures for which Kopia has no type.
func codeOfText(text string) app.Code {
	texts := []struct {
		part string
		code app.Code
	}{
		{"clock skew detected", app.CodeStorageClock},
		{"error loading index blob", app.CodeVaultDamaged},
		{"invalid checksum", app.CodeVaultDamaged},
		{"message authentication failed", app.CodeVaultDamaged},
		{"ciphertext too short", app.CodeVaultDamaged},
		{"can't parse format blob", app.CodeVaultDamaged},
		{"can't re-create top-level directory", app.CodeStorageGone},
	}
	for _, t := range texts {
		if strings.Contains(text, t.part) {
			return t.code
		}
	}
	return app.CodeInternal
}

// isDamage reports whether err says that stored bytes are missing or wrong, as
// opposed to a storage that can't be reached just now.
func isDamage(err error) bool {
	switch app.CodeOf(translate("read", err)) {
	case app.CodeCanceled, app.CodeStorageOffline, app.CodeStorageDenied, app.CodeStorageGone, app.CodeStorageClock, app.CodeVaultMissing:
		return false
	}
	return true
}
