//! Scalar and packed video instructions.

use super::{Builder, Class, Mods, Raw, Refused, Vreg, arith::unfit, exactly};
use crate::{
    ast::{Operand, Type},
    ir::Op,
    video::{self, Packed, Part, Scalar, Scaled, Second, Video},
};
use alloc::{borrow::ToOwned, format};

const RELATIONS: [(&str, Video); 6] =
    [("eq", Video::Eq), ("ne", Video::Ne), ("lt", Video::Lt), ("le", Video::Le), ("gt", Video::Gt), ("ge", Video::Ge)];

/// Lane-steps beyond one: what it takes to look at parts of words one by one. An average costs one for each element.
const SCALAR: u32 = 1;
const SCALED: u32 = 3;

fn operation(name: &str) -> Option<Video> {
    Some(match name {
        "vadd" => Video::Add,
        "vsub" => Video::Sub,
        "vabsdiff" => Video::Difference,
        "vmin" => Video::Min,
        "vmax" => Video::Max,
        "vavrg" => Video::Average,
        "vshl" => Video::ShiftLeft,
        "vshr" => Video::ShiftRight,
        _ => return None,
    })
}

/// A register's name without the selector behind it.
fn selected<'a>(operand: &Operand<'a>) -> (Operand<'a>, Option<&'a str>) {
    match *operand {
        Operand::Name(name) | Operand::Negative(name) if name.rfind('.').is_some_and(|at| at > 0) => {
            match name.rsplit_once('.') {
                Some((name, selector)) => (Operand::Name(name), Some(selector)),
                None => (Operand::Name(name), None),
            }
        }
        Operand::Negative(name) => (Operand::Name(name), None),
        ref other => (other.clone(), None),
    }
}

/// The elements that a selector such as `h10` or `b7654` names, from the lowest on.
fn elements(selector: &str, letter: char, most: u32) -> Option<([u32; 4], usize)> {
    let digits = selector.strip_prefix(letter)?;
    let (mut found, mut count) = ([0u32; 4], 0usize);
    for digit in digits.chars().rev() {
        *found.get_mut(count)? = digit.to_digit(10).filter(|digit| *digit < most)?;
        count += 1;
    }
    Some((found, count))
}

impl<'a> Builder<'_, 'a> {
    /// Video instructions; false where the instruction is none.
    pub(super) fn select_video(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<bool> {
        match mods.name {
            "vadd" | "vsub" | "vabsdiff" | "vmin" | "vmax" | "vshl" | "vshr" | "vset" => {
                self.scalar_video(mods, operands)?
            }
            "vmad" => self.scaled_video(mods, operands)?,
            "vadd2" | "vadd4" | "vsub2" | "vsub4" | "vavrg2" | "vavrg4" | "vabsdiff2" | "vabsdiff4" | "vmin2"
            | "vmin4" | "vmax2" | "vmax4" | "vset2" | "vset4" => self.packed_video(mods, operands)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Signedness of the result, `a` and `b`, which stand in this order.
    fn video_types(mods: &mut Mods<'a>, set: bool) -> Refused<[bool; 3]> {
        let kinds = [("u32", false), ("s32", true)];
        let mut next = || match mods.take_any(&kinds) {
            Some(signed) => Ok(signed),
            None => Err(format!("the instruction `{}` is not supported", mods.opcode)),
        };
        Ok(if set { [false, next()?, next()?] } else { [next()?, next()?, next()?] })
    }

    fn video_source(&mut self, operand: &Operand<'a>) -> Refused<(Vreg, Part)> {
        let (operand, selector) = selected(operand);
        let part = match selector {
            Some(selector) => {
                Part::parse(selector).ok_or_else(|| format!("`.{selector}` is not a part of a register"))?
            }
            None => Part::Word,
        };
        Ok((self.source(&operand, Type::B32)?, part))
    }

    fn scalar_video(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let set = mods.name == "vset";
        let saturate = mods.take("sat");
        let (clamp, wrap) = (mods.take("clamp"), mods.take("wrap"));
        let second = mods
            .take_any(&[("add", Second::Add), ("min", Second::Min), ("max", Second::Max)])
            .unwrap_or(Second::Nothing);
        let operation = match operation(mods.name) {
            Some(operation) => operation,
            None => match mods.take_any(&RELATIONS) {
                Some(relation) => relation,
                None => return unfit(mods),
            },
        };
        let shift = matches!(operation, Video::ShiftLeft | Video::ShiftRight);
        let signed = Self::video_types(mods, set)?;
        if set && saturate || shift != (clamp || wrap) || clamp && wrap || shift && signed[2] {
            return unfit(mods);
        }
        let (d, a, b, c) = match operands {
            [d, a, b] => (d, a, b, None),
            [d, a, b, c] => (d, a, b, Some(c)),
            _ => return unfit(mods),
        };
        let ((a, a_part), (b, b_part)) = (self.video_source(a)?, self.video_source(b)?);
        let (d, selector) = selected(d);
        let result = match selector {
            Some(selector) => {
                Part::parse(selector).ok_or_else(|| format!("`.{selector}` is not a part of a register"))?
            }
            None => Part::Word,
        };
        let second = match (result, second) {
            (Part::Word, second) => second,
            (_, Second::Nothing) => Second::Merge,
            _ => return unfit(mods),
        };
        // How wide the value is before it is cut off is not specified.
        let mut range = operation.range(a_part.limits(signed[1]), b_part.limits(signed[2]));
        if shift && matches!(operation, Video::ShiftLeft) && saturate {
            return Err(format!("`{}`: the width of what is shifted is not specified", mods.opcode));
        }
        let limits = result.limits(signed[0]);
        if saturate {
            range = limits;
        }
        if matches!(second, Second::Min | Second::Max) && (range.0 < limits.0 || range.1 > limits.1) {
            return Err(format!("`{}`: how wide a sum is compared is not specified: add `.sat`", mods.opcode));
        }
        let c = match (c, second) {
            (None, Second::Nothing) => self.word(0),
            (Some(c), Second::Add | Second::Min | Second::Max | Second::Merge) => self.source(c, Type::B32)?,
            _ => return unfit(mods),
        };
        let d = self.result(&d, Type::B32)?;
        self.cost += SCALAR;
        let form = Scalar { operation, result, a: a_part, b: b_part, signed, saturate, second, wrap }.form();
        let e = self.word(form);
        let raw = Raw { d, e, a, b, c, ..self.raw(Op::W4(video::scalar)) };
        self.push(raw);
        Ok(())
    }

    fn scaled_video(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let (saturate, plus_one) = (mods.take("sat"), mods.take("po"));
        let shift = mods.take_any(&[("shr7", 7), ("shr15", 15)]).unwrap_or(0);
        let [_, signed_a, signed_b] = Self::video_types(mods, false)?;
        let [d, a, b, c] = exactly(operands)?;
        let negative = |operand: &Operand<'a>| matches!(operand, Operand::Negative(_));
        let negated = [negative(a) != negative(b), negative(c)];
        if plus_one && (negative(a) || negative(b) || negative(c)) || negated == [true, true] {
            return unfit(mods);
        }
        let ((a, a_part), (b, b_part)) = (self.video_source(a)?, self.video_source(b)?);
        let c = self.source(&selected(c).0, Type::B32)?;
        let d = self.result(d, Type::B32)?;
        let signed = [signed_a, signed_b];
        self.cost += SCALED;
        let form = Scaled { a: a_part, b: b_part, signed, saturate, negated, plus_one, shift }.form();
        let e = self.word(form);
        let raw = Raw { d, e, a, b, c, ..self.raw(Op::W4(video::scaled)) };
        self.push(raw);
        Ok(())
    }

    /// The word whose elements a selector picks out of two.
    fn picked(&mut self, selector: Option<&str>, plain: Vreg, pair: (Vreg, Vreg), count: u32) -> Refused<Vreg> {
        let Some(selector) = selector else { return Ok(plain) };
        let letter = if count == 4 { 'b' } else { 'h' };
        let found = elements(selector, letter, 2 * count).filter(|(_, found)| *found == count as usize);
        let Some((found, _)) = found else { return Err(format!("`.{selector}` does not select {count} elements")) };
        let bytes = 4 / count;
        let mut table = 0u32;
        for (at, element) in found.iter().enumerate().take(count as usize) {
            for byte in 0..bytes {
                table |= (element * bytes + byte) << (4 * (at as u32 * bytes + byte));
            }
        }
        let table = self.word(table);
        Ok(self.fresh(Class::W, Op::PrmtW, pair.0, pair.1, table))
    }

    fn packed_video(&mut self, mods: &mut Mods<'a>, operands: &[Operand<'a>]) -> Refused<()> {
        let (name, count) = match (mods.name.strip_suffix('2'), mods.name.strip_suffix('4')) {
            (Some(name), _) => (name, 2),
            (_, Some(name)) => (name, 4),
            _ => return unfit(mods),
        };
        let (saturate, accumulate) = (mods.take("sat"), mods.take("add"));
        let set = name == "vset";
        let Some(operation) = operation(name).or_else(|| mods.take_any(&RELATIONS)) else { return unfit(mods) };
        let signed = Self::video_types(mods, set)?;
        let element = if count == 4 { Part::Byte(0) } else { Part::Half(0) };
        let limits = element.limits(signed[0]);
        let range = operation.range(element.limits(signed[1]), element.limits(signed[2]));
        if saturate && (set || accumulate) {
            return unfit(mods);
        }
        if accumulate && (range.0 < limits.0 || range.1 > limits.1) {
            return Err(format!("`{}`: how wide an element is added is not specified", mods.opcode));
        }
        let [d, a, b, c] = exactly(operands)?;
        let ((a, a_selector), (b, b_selector), (d, d_selector)) = (selected(a), selected(b), selected(d));
        let whole = (1u32 << count) - 1;
        let mask = match d_selector {
            None => whole,
            Some(selector) => {
                let letter = if count == 4 { 'b' } else { 'h' };
                let Some((found, number)) = elements(selector, letter, count) else { return unfit(mods) };
                found.iter().take(number).fold(0, |mask, element| mask | 1 << element)
            }
        };
        if set && !accumulate && mask != whole {
            return Err("the manual says two things of what stays of the destination: set all elements".to_owned());
        }
        let pair = (self.source(&a, Type::B32)?, self.source(&b, Type::B32)?);
        let a = self.picked(a_selector, pair.0, pair, count)?;
        let b = self.picked(b_selector, pair.1, pair, count)?;
        // Where all elements are replaced the third operand does not count.
        let c = if accumulate || mask != whole { self.source(c, Type::B32)? } else { self.word(0) };
        let d = self.result(&d, Type::B32)?;
        if operation == Video::Average {
            self.cost += count - 1;
        }
        let form = Packed { operation, elements: count, signed, saturate, accumulate, mask }.form();
        let e = self.word(form);
        let raw = Raw { d, e, a, b, c, ..self.raw(Op::W4(video::packed)) };
        self.push(raw);
        Ok(())
    }
}
