// Package app holds Kvart's domain: the types every other package speaks and
// the interfaces they meet at. It imports only the standard library and knows
// no storage, no database and no window.
package app

// Name is the program's name as the owner reads it, in every language.
const Name = "Kvart"

// ID is the reverse-domain name Kvart goes by where a system asks for one:
// keychains, desktop entries, notification centres.
const ID = "se.kvart.Kvart"

// Version is the release both programs are of. They ship together: a window
// and a guard of different versions restart rather than guess.
const Version = "0.1.0"
