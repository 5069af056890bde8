//! Members stopped one after the other: tables, and every interleaving of a small world.

mod explore;
mod tables;
mod world;
mod writes;
