package storage

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"kvart/app"
)

// codeOfS3 knows what S3 servers answer.
func codeOfS3(err error) app.Code {
	var r minio.ErrorResponse
	if !errors.As(err, &r) {
		return ""
	}
	switch r.Code {
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccountProblem", "AllAccessDisabled", "ExpiredToken", "InvalidToken",
		"XAdminUserNotFound": // versitygw
		return app.CodeStorageDenied
	case "RequestTimeTooSkewed", "RequestExpired":
		return app.CodeStorageClock
	case "NoSuchBucket", "InvalidBucketName":
		return app.CodeStorageGone
	case "PermanentRedirect", "TemporaryRedirect", "InvalidRegion", "InvalidRegionName", "IllegalLocationConstraintException":
		return app.CodeStorageRegion
	case "AuthorizationHeaderMalformed":
		if r.Region == "" && !strings.Contains(r.Message, "region") {
			return app.CodeStorageDenied // a mistyped key
		}
		return app.CodeStorageRegion
	case "QuotaExceeded", "XMinioStorageFull", "XAmzStorageFull", "InsufficientStorage", "XMinioAdminBucketQuotaExceeded":
		return app.CodeStorageFull
	case "ObjectLockConfigurationNotFoundError":
		return app.CodeLockBucket
	case "SlowDown", "SlowDownRead", "SlowDownWrite", "ServiceUnavailable", "InternalError", "Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequests":
		return app.CodeStorageBusy
	case "RequestTimeout":
		return app.CodeStorageOffline
	}
	return codeOfStatus(r)
}

// codeOfStatus knows answers that come from something on the way, or with a
// code of their own.
func codeOfStatus(r minio.ErrorResponse) app.Code {
	switch {
	case r.StatusCode == http.StatusMovedPermanently && r.Region != "":
		return app.CodeStorageRegion
	case r.StatusCode == http.StatusNetworkAuthenticationRequired, r.StatusCode >= 300 && r.StatusCode < 400:
		return app.CodePortal
	case r.StatusCode == http.StatusProxyAuthRequired:
		return app.CodeProxyAuth
	case r.StatusCode == http.StatusUnauthorized, r.StatusCode == http.StatusForbidden:
		return app.CodeStorageDenied
	case r.StatusCode == http.StatusInsufficientStorage:
		return app.CodeStorageFull
	case r.StatusCode == http.StatusNotImplemented:
		return ""
	case r.StatusCode == http.StatusTooManyRequests, r.StatusCode >= 500:
		return app.CodeStorageBusy
	}
	return ""
}

// isRefusal reports whether the storage knows the key and will not let it do
// this.
func isRefusal(err error) bool {
	var r minio.ErrorResponse
	return errors.As(err, &r) && r.Code == "AccessDenied"
}

// rightRegion returns the region an answer names, empty when it names none.
func rightRegion(err error) string {
	var r minio.ErrorResponse
	errors.As(err, &r)
	return r.Region
}

// codeOfWay knows what can stand between this computer and a server.
func codeOfWay(err error) app.Code {
	var (
		verify *tls.CertificateVerificationError
		alert  *net.OpError
	)
	switch {
	case errors.As(err, &verify), distrust(err) != distrustOther, errors.As(err, &alert) && alert.Op == "remote error":
		return app.CodeCertificate
	case strings.Contains(err.Error(), http.StatusText(http.StatusProxyAuthRequired)):
		return app.CodeProxyAuth
	}
	return ""
}

// What is wrong with a certificate, as [app.CodeCertificate]'s arg "reason".
const (
	distrustExpired = "expired"
	distrustName    = "name"
	distrustUnknown = "unknown"
	distrustOther   = "other"
)

func distrust(err error) string {
	var (
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return distrustExpired
	case errors.As(err, &name):
		return distrustName
	case errors.As(err, &unknown):
		return distrustUnknown
	}
	return distrustOther
}
