package app

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Code names a class of failure. What the owner reads is chosen by the code,
// so codes are part of the protocol and of the translations: add, never rename.
type Code string

// The codes. Each has a title, a meaning for the backups and a next step in
// every language; a test walks them.
const (
	CodeInternal Code = "internal" // a defect of Kvart's own
	CodeUsage    Code = "usage"    // the caller asked for something that makes no sense
	CodeCanceled Code = "canceled"
	CodeBusy     Code = "busy" // another backup or restore is running

	CodeGuardOffline  Code = "guard_offline"
	CodeGuardRunning  Code = "guard_running"
	CodeGuardVersion  Code = "guard_version" // window and guard are of different builds
	CodeHomeReadOnly  Code = "home_read_only"
	CodeHomeShare     Code = "home_share" // a warning: Kvart's own folder lies on a network drive; an error where that takes no locks; arg "path"
	CodeSocketTooLong Code = "socket_too_long"
	CodeSecretMissing Code = "secret_missing"
	CodeKeychain      Code = "keychain"
	CodeClock         Code = "clock" // this computer's clock went backwards or lies in the future

	CodeStorageGone     Code = "storage_gone" // folder or disk not there
	CodeStorageOffline  Code = "storage_offline"
	CodeStorageDenied   Code = "storage_denied"
	CodeStorageReadOnly Code = "storage_read_only"
	CodeStorageFull     Code = "storage_full"
	CodeStorageClock    Code = "storage_clock"
	CodeStorageForeign  Code = "storage_foreign"  // somebody else's data lies there
	CodeStorageUnsafe   Code = "storage_unsafe"   // would lie inside what it protects, or send secrets in the clear
	CodeStorageRight    Code = "storage_right"    // the key lacks a right; arg "right" names it
	CodeStorageRegion   Code = "storage_region"   // arg "region" is the right one, where known
	CodeStorageBusy     Code = "storage_busy"     // it asks us to come back later, again and again
	CodeStorageLittle   Code = "storage_little"   // a warning: soon full
	CodeStorageSkew     Code = "storage_skew"     // a warning: its clock is minutes off
	CodeCertificate     Code = "certificate"      // the server's certificate is not to be trusted; arg "reason"
	CodeHostKeyUnknown  Code = "host_key_unknown" // first contact; args "fingerprint", "host_key"
	CodeHostKeyChanged  Code = "host_key_changed" // not the server it was
	CodePortal          Code = "portal"           // a log-in page answers in the storage's place
	CodeProxyAuth       Code = "proxy_auth"       // the proxy asks for a password
	CodeProgramMissing  Code = "program_missing"  // arg "program"
	CodeProgramOld      Code = "program_old"      // args "program", "version", "needs"

	CodeLockNone    Code = "lock_none"     // nothing protects the backups from deletion
	CodeLockBucket  Code = "lock_bucket"   // the bucket was made without object lock
	CodeLockShort   Code = "lock_short"    // fewer than [MinLockDays]
	CodeLockForEver Code = "lock_for_ever" // compliance, not yet accepted
	CodeLockOpen    Code = "lock_open"     // the storage deleted what should be locked
	CodeLockLifted  Code = "lock_lifted"   // the key may lift the lock

	CodeVaultNone       Code = "vault_none"    // nothing set up yet
	CodeVaultMissing    Code = "vault_missing" // the storage answers but the vault's format blob is not there
	CodeVaultExists     Code = "vault_exists"
	CodeVaultOther      Code = "vault_other" // a vault, but another shop's
	CodeVaultDamaged    Code = "vault_damaged"
	CodeVaultForgot     Code = "vault_forgot" // points that should be there are not
	CodeWrongPassphrase Code = "wrong_passphrase"
	CodeWeakPassphrase  Code = "weak_passphrase"
	CodeReadBack        Code = "read_back"    // what was written could not be read back
	CodeVaultHidden     Code = "vault_hidden" // deleted or hidden, but older versions are kept; arg "at"
	CodeVaultPast       Code = "vault_past"   // opened as it was: nothing can be stored
	CodeReplaced        Code = "replaced"     // another computer took this one's place; arg "computer"
	CodeTwoGuards       Code = "two_guards"   // another guard stores in this one's name
	CodeComputerUnknown Code = "computer_unknown"
	CodeComputerWhich   Code = "computer_which" // several share the vault; arg "choices"

	CodeKitMissing      Code = "kit_missing"      // no kit made or none confirmed
	CodeKitVoid         Code = "kit_void"         // what it says is no longer so
	CodeKitUnreadable   Code = "kit_unreadable"   // not a kit, or mistyped
	CodeKitCode         Code = "kit_code"         // typed back wrongly
	CodeKitNeeded       Code = "kit_needed"       // without a kit that is confirmed and good, what is to be forgotten is all that opens the backups
	CodeForgetUnsure    Code = "forget_unsure"    // nothing is deleted, as it can't be told where the backups lie; arg "path"
	CodeInvitationWrong Code = "invitation_wrong" // not this invitation's code
	CodeInvitationOld   Code = "invitation_old"
	CodeDocument        Code = "document" // a report or another paper could not be written; args "path", "reason": see [WriteDocument]

	CodeCopyUnknown Code = "copy_unknown"
	CodeCopyExists  Code = "copy_exists"
	CodeCopyBehind  Code = "copy_behind" // not brought in step for too long
	CodeCopyShrunk  Code = "copy_shrunk" // the vault lost too much to be copied over a good copy
	CodeUnchecked   Code = "unchecked"   // stored bytes were not read for more than 30 days
	CodeUpkeep      Code = "upkeep"      // tidying up has not run for long

	CodeSourceUnknown    Code = "source_unknown"
	CodeSourceExists     Code = "source_exists"
	CodeSourceKind       Code = "source_kind"
	CodeSourceMissing    Code = "source_missing"
	CodeSourceUnreadable Code = "source_unreadable"
	CodeSourceNotDB      Code = "source_not_db"
	CodeSourceEncrypted  Code = "source_encrypted"
	CodeSourceDamaged    Code = "source_damaged"
	CodeSourceLocked     Code = "source_locked" // the database did not let go of its lock in time
	CodeSourceShareGone  Code = "source_share_gone"
	CodeSourceIncomplete Code = "source_incomplete" // some files could not be read
	CodeSourceEmpty      Code = "source_empty"      // a folder that held files is empty: likelier unplugged than emptied
	CodeSourceOffline    Code = "source_offline"    // its server doesn't answer, or went away; arg "where"
	CodeSourceDenied     Code = "source_denied"     // its server doesn't take this user or password; arg "user"
	CodeSourceRight      Code = "source_right"      // its user lacks a right; args "right", and "statement" that grants it
	CodeSourceBusy       Code = "source_busy"       // its server asks us to come back later, again and again
	CodeSourceAltered    Code = "source_altered"    // it was rebuilt for as long as it was read
	CodeSourceTooLarge   Code = "source_too_large"  // one thing in it is larger than its server hands out or takes; arg "setting" allows more, or arg "edition" of the server can hold less
	CodeSourcePlain      Code = "source_plain"      // its server doesn't encrypt the connection
	CodeSourceGone       Code = "source_gone"       // the server answers, but the database, shop or site is not there any more
	CodeTunnelOffline    Code = "tunnel_offline"    // the SSH server on the way to it doesn't answer; arg "where"
	CodeTunnelDenied     Code = "tunnel_denied"     // the SSH server doesn't take this user, password or key; arg "user"
	CodeTempFull         Code = "temp_full"         // no room on this computer for the temporary copy

	CodeShopScope    Code = "shop_scope"    // the key may not read one kind of record; args "kind", "right"
	CodeShopAnswer   Code = "shop_answer"   // what came back is no answer of the shop's: an error page, a cut or short list; args "kind", "status"
	CodeShopRedacted Code = "shop_redacted" // the shop blots out fields of a kind for this key; args "kind", "right"
	CodeShopShrunk   Code = "shop_shrunk"   // so much of a kind is gone at once that the owner is asked first; args "kind", "count"
	CodeShopPicture  Code = "shop_picture"  // a picture or file that the shop names is not there, or is a web page; arg "path"
	CodeShopWorking  Code = "shop_working"  // the shop still carries out what an earlier restore began
	CodeKindMissing  Code = "kind_missing"  // the shop has this kind no more; arg "kind"

	// Warnings of what writing to a shop does beside; args "kind" and "count".
	CodeEffectMails     Code = "effect_mails"     // the shop may write to customers
	CodeEffectStock     Code = "effect_stock"     // the shop counts stock down once more
	CodeEffectNumbers   Code = "effect_numbers"   // made again, with new numbers and today's date
	CodeEffectPasswords Code = "effect_passwords" // their owners have to choose new passwords
	CodeEffectKept      Code = "effect_kept"      // the shop has them otherwise, and keeps them: they went on after the backup
	CodeEffectManual    Code = "effect_manual"    // left for people: the shop takes it from no program, or was not told to
	CodeShopFrozen      Code = "shop_frozen"      // the platform has frozen or locked the shop; arg "status"
	CodeShopApproval    Code = "shop_approval"    // the shop has no page on which its owner could let a program in; arg "where"
	CodeShopVersion     Code = "shop_version"     // the platform no longer speaks the version Kvart does; arg "version"

	CodeItemVanished   Code = "item_vanished"
	CodeItemUnreadable Code = "item_unreadable"
	CodeItemChanged    Code = "item_changed" // changed while it was read

	CodeLate Code = "late" // the newest safe state is too old

	CodeSourcePaused Code = "source_paused" // by the owner
	CodeSourceQuiet  Code = "source_quiet"  // left alone for its quiet hours

	CodeWaiting Code = "waiting" // backups wait by the owner's own rule; args "cause", "count"

	CodePointUnknown Code = "point_unknown"
	CodePathUnknown  Code = "path_unknown"
	CodeBrowseRoom   Code = "browse_room" // too little of this computer's disk is free to unpack a backup for looking; args "path", "free"

	CodeTargetInUse    Code = "target_in_use" // or, args "definer" and "count", what a user may do is needed by definitions that belong to it
	CodeTargetFull     Code = "target_full"
	CodeTargetReadOnly Code = "target_read_only"
	CodePageBeside     Code = "page_beside" // the "back soon" page lies on the site and is not shown in its place; arg "page"
	CodeTargetExists   Code = "target_exists"
	CodeTargetOpen     Code = "target_open" // a warning: programs have the database open; arg "programs"
	CodeCheckFailed    Code = "check_failed"
	CodeInterrupted    Code = "interrupted" // a restore was cut off; arg "untouched" when before it had changed anything
	CodeNothingToUndo  Code = "nothing_to_undo"

	CodeIncidentNone Code = "incident_none" // no incident is open
	CodeIncidentOpen Code = "incident_open" // another incident is open; arg "playbook"
	CodeStepBlocked  Code = "step_blocked"  // what comes before it is not settled; args "step", "needs"
	CodeInfected     Code = "infected"      // a restore onto a computer that is thought to be infected, without a second yes
	CodeUnverified   Code = "unverified"    // no backup before the trouble could be proven sound

	CodeUnusual      Code = "unusual_change" // something looks wrong, and the owner has yet to say whether it was theirs; arg "source"
	CodeNothingAsked Code = "nothing_asked"  // no question about this source is open

	CodeStorefrontNone        Code = "storefront_none"        // no shop is watched
	CodeStorefrontOffline     Code = "storefront_offline"     // the shop does not answer; args "where", "reason"
	CodeStorefrontStatus      Code = "storefront_status"      // it answers with an error; args "where", "status"
	CodeStorefrontWord        Code = "storefront_word"        // the word is not on the page; args "where", "word"
	CodeStorefrontElsewhere   Code = "storefront_elsewhere"   // visitors end up at another address; args "where", "elsewhere"
	CodeStorefrontCertificate Code = "storefront_certificate" // browsers warn of it; args "where", "reason"
	CodeStorefrontExpires     Code = "storefront_expires"     // a warning: its certificate expires soon; args "where", "days"
	CodeStorefrontUnsure      Code = "storefront_unsure"      // nothing shows whether it is the shop or the own connection; arg "where"
	CodeDomainExpires         Code = "domain_expires"         // a warning: the domain expires soon; args "where", "days"
	CodeDomainUnknown         Code = "domain_unknown"         // its registry did not say when the domain expires; arg "where"
	CodeAlertOffline          Code = "alert_offline"          // who carries alerts does not answer; arg "where"
	CodeAlertRefused          Code = "alert_refused"          // who carries alerts said no; args "where", "reason"

	CodeCapacityUnproven  Code = "capacity_unproven"  // nothing on the site shows that it is the owner's; arg "where"
	CodeCapacityHosted    Code = "capacity_hosted"    // the shop is on a platform that others run; args "where", "platform"
	CodeCapacityElsewhere Code = "capacity_elsewhere" // the address sends its visitors to another; args "where", "elsewhere"
	CodeCapacityNone      Code = "capacity_none"      // none was rehearsed yet

	CodePointPassed Code = "point_passed" // a warning: newer backups hold an unusual change, and an older one is taken; args "source", "count", "at"
	CodePointMarked Code = "point_marked" // a warning: what is chosen holds an unusual change; args "source", "at"

	CodeAutostart Code = "autostart" // the system does not let start at login be turned on or off

	CodeUpdateFeed    Code = "update_feed"    // who tells of new versions does not answer, or not as it should; arg "where"
	CodeUpdateForged  Code = "update_forged"  // its signature does not hold
	CodeUpdateOld     Code = "update_old"     // it tells what it told before something newer; arg "where"
	CodeUpdateDamaged Code = "update_damaged" // what was fetched is not what was signed; arg "where"
	CodeUpdateMissing Code = "update_missing" // there is nothing newer, or nothing newer for this computer
	CodeUpdateRoom    Code = "update_room"    // no room for it on this computer; args "path", "need"
	CodeUpdateNewer   Code = "update_newer"   // a note: there is a newer version; arg "version"
)

// Codes lists every code, in the order above.
func Codes() []Code {
	return []Code{
		CodeInternal, CodeUsage, CodeCanceled, CodeBusy,
		CodeGuardOffline, CodeGuardRunning, CodeGuardVersion, CodeHomeReadOnly, CodeHomeShare, CodeSocketTooLong, CodeSecretMissing, CodeKeychain, CodeClock,
		CodeStorageGone, CodeStorageOffline, CodeStorageDenied, CodeStorageReadOnly, CodeStorageFull, CodeStorageClock, CodeStorageForeign, CodeStorageUnsafe,
		CodeStorageRight, CodeStorageRegion, CodeStorageBusy, CodeStorageLittle, CodeStorageSkew, CodeCertificate, CodeHostKeyUnknown, CodeHostKeyChanged, CodePortal, CodeProxyAuth, CodeProgramMissing, CodeProgramOld,
		CodeLockNone, CodeLockBucket, CodeLockShort, CodeLockForEver, CodeLockOpen, CodeLockLifted,
		CodeVaultNone, CodeVaultMissing, CodeVaultExists, CodeVaultOther, CodeVaultDamaged, CodeVaultForgot, CodeWrongPassphrase, CodeWeakPassphrase, CodeReadBack,
		CodeVaultHidden, CodeVaultPast, CodeReplaced, CodeTwoGuards, CodeComputerUnknown, CodeComputerWhich,
		CodeKitMissing, CodeKitVoid, CodeKitUnreadable, CodeKitCode, CodeKitNeeded, CodeForgetUnsure, CodeInvitationWrong, CodeInvitationOld, CodeDocument,
		CodeCopyUnknown, CodeCopyExists, CodeCopyBehind, CodeCopyShrunk, CodeUnchecked, CodeUpkeep,
		CodeSourceUnknown, CodeSourceExists, CodeSourceKind, CodeSourceMissing, CodeSourceUnreadable, CodeSourceNotDB, CodeSourceEncrypted, CodeSourceDamaged, CodeSourceLocked, CodeSourceShareGone, CodeSourceIncomplete, CodeSourceEmpty,
		CodeSourceOffline, CodeSourceDenied, CodeSourceRight, CodeSourceBusy, CodeSourceAltered, CodeSourceTooLarge, CodeSourcePlain, CodeSourceGone, CodeTunnelOffline, CodeTunnelDenied, CodeTempFull,
		CodeShopScope, CodeShopAnswer, CodeShopRedacted, CodeShopShrunk, CodeShopPicture, CodeShopWorking, CodeKindMissing, CodeShopFrozen, CodeShopVersion, CodeShopApproval,
		CodeItemVanished, CodeItemUnreadable, CodeItemChanged,
		CodeLate, CodeWaiting, CodeSourcePaused, CodeSourceQuiet,
		CodePointUnknown, CodePathUnknown, CodeBrowseRoom,
		CodePageBeside, CodeTargetInUse, CodeTargetFull, CodeTargetReadOnly, CodeTargetExists, CodeTargetOpen, CodeCheckFailed, CodeInterrupted, CodeNothingToUndo,
		CodeIncidentNone, CodeIncidentOpen, CodeStepBlocked, CodeInfected, CodeUnverified,
		CodeUnusual, CodeNothingAsked, CodeStorefrontNone, CodeStorefrontOffline, CodeStorefrontStatus, CodeStorefrontWord, CodeStorefrontElsewhere, CodeStorefrontCertificate, CodeStorefrontExpires, CodeStorefrontUnsure, CodeDomainExpires, CodeDomainUnknown, CodeAlertOffline, CodeAlertRefused,
		CodeCapacityUnproven, CodeCapacityHosted, CodeCapacityElsewhere, CodeCapacityNone, CodePointPassed, CodePointMarked,
		CodeAutostart, CodeUpdateFeed, CodeUpdateForged, CodeUpdateOld, CodeUpdateDamaged, CodeUpdateMissing, CodeUpdateRoom, CodeUpdateNewer,
	}
}

// Error is a failure the owner can be told about.
type Error struct {
	Code Code              `json:"code"`
	Op   string            `json:"op,omitempty"`   // what was being done, for the log: "sqlite: open"
	Args map[string]string `json:"args,omitempty"` // values for the translated text; never secrets
	Err  error             `json:"-"`              // cause, for the log only
}

// EndsCapture reports whether an error of this code, met at one item, says that
// the source as a whole can't be read, so that going on with the next item would
// only make a point with holes.
func (c Code) EndsCapture() bool {
	switch c {
	case CodeSourceOffline, CodeSourceDenied, CodeSourceBusy, CodeSourceGone, CodeSourceShareGone,
		CodeTunnelOffline, CodeTunnelDenied, CodeHostKeyChanged, CodeCertificate, CodeTempFull:
		return true
	}
	return false
}

// Errorf returns an [Error] of the given code whose cause is formatted as by
// [fmt.Errorf].
func Errorf(code Code, op, format string, args ...any) *Error {
	return &Error{Code: code, Op: op, Err: fmt.Errorf(format, args...)}
}

// With returns e with one value for its translated text added.
func (e *Error) With(key, value string) *Error {
	if e.Args == nil {
		e.Args = map[string]string{}
	}
	e.Args[key] = value
	return e
}

func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return fmt.Sprintf("%s: %s", e.Op, e.Code)
	case e.Op == "":
		return e.Err.Error()
	}
	return fmt.Sprintf("%s: %v", e.Op, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// wireError is how an Error crosses the socket: with its cause as plain text,
// so that the command line's log can name it.
type wireError struct {
	Code   Code              `json:"code"`
	Op     string            `json:"op,omitempty"`
	Args   map[string]string `json:"args,omitempty"`
	Detail string            `json:"detail,omitempty"`
}

// MarshalJSON implements [json.Marshaler].
func (e *Error) MarshalJSON() ([]byte, error) {
	w := wireError{Code: e.Code, Op: e.Op, Args: e.Args}
	if e.Err != nil {
		w.Detail = e.Err.Error()
	}
	return json.Marshal(w)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (e *Error) UnmarshalJSON(b []byte) error {
	var w wireError
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	*e = Error{Code: w.Code, Op: w.Op, Args: w.Args}
	if w.Detail != "" {
		e.Err = errors.New(w.Detail)
	}
	return nil
}

// CodeOf returns the code of the first [*Error] in err's tree, "" for nil and
// [CodeInternal] for everything else. A nil [*Error], as a record that holds no
// error has one, is nil.
func CodeOf(err error) Code {
	if e := AsError(err); e != nil {
		return e.Code
	}
	return ""
}

// AsError returns the first [*Error] in err's tree, or err wrapped as one of
// [CodeInternal]. It returns nil for nil, and for a nil [*Error].
func AsError(err error) *Error {
	var e *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return e
	}
	return &Error{Code: CodeInternal, Err: err}
}
