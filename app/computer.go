package app

import (
	"context"
	"time"
)

// ComputerID names a data folder of Kvart's, and with it a computer of the
// shop.
type ComputerID string

// NoComputer, as the one to replace, says that a computer joins the others.
const NoComputer ComputerID = "none"

// AskComputer, as the one to replace, has the guard answer [CodeComputerWhich] with the
// choices as soon as there is another computer, be it only one: who is asked
// can then not take its place by accident.
const AskComputer ComputerID = "?"

// Computer is one computer that backs up into a vault.
type Computer struct {
	ID     ComputerID `json:"id"`
	Name   string     `json:"name"` // as the system calls it
	Joined time.Time  `json:"joined"`
	// Seen is when it last stored something, by its own clock.
	Seen time.Time `json:"seen"`
	// ReplacedBy took over its sources; it may store nothing any more.
	ReplacedBy ComputerID `json:"replacedBy,omitempty"`
	// Maintains reports that this one frees storage for all of them.
	Maintains bool `json:"maintains,omitempty"`
}

// Roster is implemented by vaults that several computers share. Every computer
// is entered by its first Save. From then on Save returns [CodeReplaced] when
// another computer took its place, and [CodeTwoGuards] when another guard with
// the same ID, on a cloned disk or from a copied folder, has stored something
// since this one last did: the one that began later goes on.
type Roster interface {
	// Computers lists all, those that joined first first.
	Computers(ctx context.Context) ([]Computer, error)
	// Replace takes the place of another computer: from now on it may store
	// nothing. [NoComputer], and this very computer's own ID, clear that this
	// computer was itself replaced or pushed aside.
	Replace(ctx context.Context, old ComputerID) error
}
