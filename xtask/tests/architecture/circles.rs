//! Circles of files: two files that use each other cannot be read, tested or moved one at a time.
//!
//! Reads what each file of a crate names of its siblings, without tests. A re-export is a use only where its own file names it
//! too; another file that names it uses the file that defines the name. Not seen are names inside of macro calls, and calls of
//! methods that another file implements for the same type.

use anyhow::{Context as _, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use syn::visit::{self, Visit};
use syn::{Item, UseTree, Visibility};

/// The module of a file: `crate::engine::pass` is `["engine", "pass"]`.
type Module = Vec<String>;

/// The files of one crate, by module.
#[derive(Default)]
struct Crate {
    paths: BTreeMap<Module, String>,
    /// What a module re-exports, and the absolute path of what it means.
    exports: BTreeMap<Module, Vec<(String, Module)>>,
    /// The absolute paths that a module names.
    named: BTreeMap<Module, BTreeSet<Module>>,
}

/// The circles of files of a crate whose sources are in a folder, each as its files with the names that tie them.
pub fn circles(source: &Path) -> Result<Vec<String>> {
    let mut of = Crate::default();
    let root = if source.join("lib.rs").exists() { "lib.rs" } else { "main.rs" };
    of.read(source, root, &Vec::new())?;
    let globs = of.exports.iter().filter(|(_, all)| all.iter().any(|(name, _)| name == "*"));
    let mut found: Vec<String> =
        globs.map(|(module, _)| format!("{}: re-export by name, not with *", of.paths[module])).collect();
    let uses = of.uses();
    let mut seen = BTreeSet::new();
    for file in uses.keys() {
        let circle: BTreeSet<&Module> =
            reached(&uses, file).into_iter().filter(|other| reached(&uses, other).contains(file)).collect();
        if !circle.is_empty() && seen.insert(circle.clone()) {
            found.push(of.shown(&uses, &circle));
        }
    }
    Ok(found)
}

/// Which file uses which, and by which names.
type Uses = BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>>;

/// Everything that a file uses, and what that uses.
fn reached<'a>(uses: &'a Uses, from: &Module) -> BTreeSet<&'a Module> {
    let mut found = BTreeSet::new();
    let mut next: Vec<&Module> = uses.get(from).into_iter().flat_map(BTreeMap::keys).collect();
    while let Some(module) = next.pop() {
        if found.insert(module) {
            next.extend(uses.get(module).into_iter().flat_map(BTreeMap::keys));
        }
    }
    found
}

impl Crate {
    /// Reads a file, and the files of the modules that it declares.
    fn read(&mut self, folder: &Path, name: &str, module: &Module) -> Result<()> {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let file = syn::parse_file(&text).with_context(|| path.display().to_string())?;
        self.paths.insert(module.clone(), path.display().to_string());
        let mut names = Names { module, of: self, imports: BTreeMap::new(), bare: BTreeSet::new() };
        names.visit_file(&file);
        let bare = names.bare;
        let exports = self.exports.get(module).cloned().unwrap_or_default();
        let used = exports.into_iter().filter(|(name, _)| bare.contains(name)).map(|(_, path)| path);
        self.named.entry(module.clone()).or_default().extend(used);
        for item in &file.items {
            let Item::Mod(child) = item else { continue };
            if child.content.is_some() || is_test(&child.attrs) {
                continue;
            }
            let name = child.ident.to_string();
            let inner = if matches!(
                path.file_name().and_then(|name| name.to_str()),
                Some("lib.rs" | "main.rs" | "mod.rs")
            ) {
                folder.to_path_buf()
            } else {
                path.with_extension("")
            };
            let below = [module.clone(), vec![name.clone()]].concat();
            if inner.join(format!("{name}.rs")).exists() {
                self.read(&inner, &format!("{name}.rs"), &below)?;
            } else {
                self.read(&inner.join(&name), "mod.rs", &below)?;
            }
        }
        Ok(())
    }

    /// The file that defines what an absolute path means.
    fn file(&self, path: &[String], depth: usize) -> Option<Module> {
        let length = (0..=path.len()).rev().find(|length| self.paths.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(length);
        let exports = self.exports.get(module).map(Vec::as_slice).unwrap_or_default();
        let Some(name) = rest.first().filter(|_| depth < 8) else { return Some(module.to_vec()) };
        let export = exports.iter().find(|(export, _)| export == name);
        match export {
            Some((_, target)) => self.file(&[target, &rest[1..]].concat(), depth + 1),
            None => Some(module.to_vec()),
        }
    }

    fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (from, paths) in &self.named {
            let mine = uses.entry(from.clone()).or_default();
            for path in paths {
                if let Some(to) = self.file(path, 0).filter(|to| to != from) {
                    mine.entry(to).or_default().insert(path.last().cloned().unwrap_or_default());
                }
            }
        }
        uses
    }

    fn shown(&self, uses: &Uses, circle: &BTreeSet<&Module>) -> String {
        let mut text = String::from("a circle of files:");
        for from in circle {
            for (to, names) in uses[*from].iter().filter(|(to, _)| circle.contains(to)) {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let names = names.join(", ");
                let _ = write!(text, "\n  {} uses {} ({names})", self.paths[*from], self.paths[to]);
            }
        }
        text
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// Gathers the paths that a file names.
struct Names<'a> {
    module: &'a Module,
    of: &'a mut Crate,
    /// What the file imports: the name here, and its absolute path.
    imports: BTreeMap<String, Module>,
    /// The names that the file uses outside of imports.
    bare: BTreeSet<String>,
}

impl Names<'_> {
    /// A path from the root of the crate, where it is one of ours.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        match path.first().map(String::as_str)? {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([self.module, &path[1..]].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let above = self.module.len().checked_sub(ups)?;
                Some([&self.module[..above], &path[ups..]].concat())
            }
            name if self.imports.contains_key(name) => Some([&self.imports[name], &path[1..]].concat()),
            // A module that this file declares, named by itself.
            _ => Some([self.module, path].concat()).filter(|path| path.len() > self.module.len() + 1),
        }
    }

    fn name(&mut self, path: &[String]) {
        if let Some(path) = self.absolute(path) {
            self.of.named.entry(self.module.clone()).or_default().insert(path);
        }
    }

    fn tree(&mut self, tree: &UseTree, before: &[String], is_export: bool) {
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(before, &path.ident), is_export),
            UseTree::Name(name) if name.ident == "self" => {
                self.leaf(before, &before[before.len() - 1].clone(), is_export);
            }
            UseTree::Name(name) => self.leaf(&with(before, &name.ident), &name.ident.to_string(), is_export),
            UseTree::Rename(name) => {
                self.leaf(&with(before, &name.ident), &name.rename.to_string(), is_export);
            }
            UseTree::Glob(_) => self.leaf(before, "*", is_export),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, before, is_export)),
        }
    }

    fn leaf(&mut self, path: &[String], name: &str, is_export: bool) {
        if !is_export {
            self.name(path);
            if let Some(path) = self.absolute(path) {
                self.imports.insert(name.to_owned(), path);
            }
        } else if let Some(path) = self.absolute(path) {
            let exports = self.of.exports.entry(self.module.clone()).or_default();
            exports.push((name.to_owned(), path));
        }
    }
}

fn with(before: &[String], ident: &syn::Ident) -> Vec<String> {
    [before, &[ident.to_string()]].concat()
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_export = !matches!(item.vis, Visibility::Inherited);
        self.tree(&item.tree, &[], is_export);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        self.bare.extend(parts.first().cloned());
        if parts.len() > 1 {
            self.name(&parts);
        }
        visit::visit_path(self, path);
    }
}

#[test]
fn a_circle_is_seen_through_a_re_export_and_an_import() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let files = [
        ("lib.rs", "//! A.\nmod a;\nmod b;\nmod c;\npub use a::One;\n"),
        ("a.rs", "use crate::b;\npub struct One(b::Two);\n"),
        ("b.rs", "pub struct Two;\nfn make(_: crate::One) {}\n"),
        ("c.rs", "use crate::One;\npub struct Three(One);\n"),
    ];
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text)?;
    }
    let found = circles(folder.path())?;
    anyhow::ensure!(found.len() == 1 && found[0].matches(" uses ").count() == 2, "{found:?}");
    anyhow::ensure!(!found[0].contains("c.rs"), "{found:?}");
    Ok(())
}
